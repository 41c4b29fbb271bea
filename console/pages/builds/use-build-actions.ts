import {type Build, BuildService} from '@muster/proto/gen/muster/v1/builds_pb.ts';
import type {Image_Variant} from '@muster/proto/gen/muster/v1/images_pb.ts';
import {useMutation} from '@connectrpc/connect-query';
import {useQueryClient} from '@tanstack/react-query';
import {useNavigate} from '@tanstack/react-router';
import {showFailure, showToast} from '../../ui/Toast.tsx';
import {isRegistration} from './build-words.ts';

/** Asks for a build and goes to it. */
export function useStartBuild() {
  const navigate = useNavigate();
  const onSuccess = ({build}: {build?: Build | undefined}) => {
    if (build) void navigate({to: '/builds/$id', params: {id: build.id}});
  };
  const ofMachine = useMutation(BuildService.method.createBuild, {
    onSuccess,
    onError: error => showFailure(error, 'build it'),
  });
  const ofRegistration = useMutation(BuildService.method.createRegistrationBuild, {
    onSuccess,
    onError: error => showFailure(error, 'build the registration image'),
  });
  return {
    isPending: ofMachine.isPending || ofRegistration.isPending,
    startRegistration: (variant: Image_Variant) => ofRegistration.mutate({variant}),
    /** The same once more; of a machine, what its configuration says now. */
    again: (build: Build) =>
      isRegistration(build)
        ? ofRegistration.mutate({variant: build.variant})
        : ofMachine.mutate({machineId: build.machineId}),
  };
}

export function useCancelBuild() {
  const queryClient = useQueryClient();
  return useMutation(BuildService.method.cancelBuild, {
    onSuccess: () => {
      showToast('The build is being cancelled');
      void queryClient.invalidateQueries();
    },
  });
}
