import {type ImageGate, ImageTestService} from '@muster/proto/gen/muster/v1/image_tests_pb.ts';
import {Permission} from '@muster/proto/gen/muster/v1/options_pb.ts';
import {Code} from '@connectrpc/connect';
import {skipToken, useQuery} from '@connectrpc/connect-query';
import {useMay} from '../../api/caller.ts';
import {isCode} from '../../api/errors.ts';

/** What the machine's groups require of its image; undefined when that is nothing, and for those who work in some workspaces only. */
export function useGate(machineId: string): {
  readonly gate: ImageGate | undefined;
  readonly error: unknown;
} {
  const mayAsk = useMay(Permission.VIEW);
  const {data, error} = useQuery(
    ImageTestService.method.explainImageGate,
    mayAsk ? {machineId} : skipToken,
    {retry: false},
  );
  // No image was built for it yet.
  if (isCode(error, Code.NotFound)) return {gate: undefined, error: null};
  const gate = data?.gate;
  return {gate: gate && gate.requirements.length > 0 ? gate : undefined, error};
}
