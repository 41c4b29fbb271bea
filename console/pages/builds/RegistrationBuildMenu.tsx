import {Image_Variant as Variant} from '@muster/proto/gen/muster/v1/images_pb.ts';
import {useOperateReason} from '../../api/caller.ts';
import {Menu} from '../../ui/Menu.tsx';
import {useStartBuild} from './use-build-actions.ts';

export function RegistrationBuildMenu() {
  const disabledReason = useOperateReason();
  const {startRegistration, isPending} = useStartBuild();
  const reason = isPending ? 'One is being asked for' : disabledReason;
  return (
    <Menu
      label="Build a registration image"
      icon="build"
      items={[
        {
          label: 'For any hardware',
          disabledReason: reason,
          onSelect: () => startRegistration(Variant.FULL),
        },
        {
          label: 'For virtual machines',
          disabledReason: reason,
          onSelect: () => startRegistration(Variant.VIRTUAL),
        },
      ]}
    />
  );
}
