import {
  BuildService,
  Diagnostic_Kind as Kind,
  ValidateConfigResponse_Phase as Phase,
} from '@muster/proto/gen/muster/v1/builds_pb.ts';
import {Code, ConnectError} from '@connectrpc/connect';
import type {MockNoun} from './transport.ts';

/** A module with "oops" has a mistake in its line; for one with "lonely" there is no builder. */
export const addValidations: MockNoun = router => {
  router.rpc(BuildService.method.validateConfig, async function* ({nixosConfig = ''}) {
    const lines = nixosConfig.split('\n');
    const line = lines.findIndex(text => text.includes('oops')) + 1;
    const column = (lines[line - 1]?.indexOf('oops') ?? 0) + 1;
    yield {
      phase: Phase.SYNTAX,
      durationMs: 2,
      diagnostics:
        line > 0 ? [{kind: Kind.SYNTAX, message: 'Unexpected "oops"', line, column}] : [],
    };
    if (nixosConfig.includes('lonely'))
      throw new ConnectError('Cannot evaluate the configuration: no builder', Code.Unavailable);
  });
};
