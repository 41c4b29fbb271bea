import {DiscoveryService} from '@muster/proto/gen/muster/v1/discovery_pb.ts';
import {GroupService} from '@muster/proto/gen/muster/v1/groups_pb.ts';
import {MachineService} from '@muster/proto/gen/muster/v1/machines_pb.ts';
import {useAction} from '../../../api/use-action.ts';

export type Source = {
  /** Of the file; undefined when it was typed. */
  readonly name: string | undefined;
  readonly text: string;
};

/** The dry run, and what follows it. Another text makes both void. */
export function useImport({text}: Source) {
  const dryRun = useAction(DiscoveryService.method.importExpectedMachines);
  const run = useAction(DiscoveryService.method.importExpectedMachines, {
    also: [MachineService, GroupService],
  });
  return {
    /** The newest word of the server. */
    report: run.data ?? dryRun.data,
    hasRun: run.data !== undefined,
    isChecking: dryRun.isPending,
    isRunning: run.isPending,
    error: run.error ?? dryRun.error,
    check: () => {
      run.reset();
      dryRun.mutate({csv: text, dryRun: true});
    },
    run: (partial: boolean, onSettled: () => void) => run.mutate({csv: text, partial}, {onSettled}),
    forget: () => {
      dryRun.reset();
      run.reset();
    },
  };
}

export type Import = ReturnType<typeof useImport>;
