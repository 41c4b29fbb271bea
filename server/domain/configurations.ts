import {DomainError} from '../errors.ts';
import {findMachineRules} from '../store/machine-rules.ts';
import type {Sql} from '../store/db.ts';
import {findMachine, type Machine} from '../store/machines.ts';
import type {Deps} from './deps.ts';
import type {Groups} from './groups.ts';
import {
  type EffectiveConfiguration,
  effectiveConfiguration,
  type Inherited,
} from './inheritance.ts';

export type Configurations = ReturnType<typeof createConfigurations>;

/** What machines are built from: their own configuration and what they inherit (docs/groups.md). */
export function createConfigurations({
  sql,
  groups,
}: Pick<Deps, 'sql'> & {readonly groups: Pick<Groups, 'ofMachine'>}) {
  /** Throws not_found. */
  async function inherited(machineId: string, tx: Sql = sql): Promise<Inherited> {
    const rules = await findMachineRules(tx, machineId);
    return {groups: await groups.ofMachine(machineId, tx), rules};
  }

  return {
    inherited,

    /** The machine as a builder shall see it. */
    async configured(machine: Machine) {
      const effective = effectiveConfiguration(machine, await inherited(machine.id));
      const {templates, imageConfig, bootArguments} = effective;
      return {...machine, templates, imageConfig, bootArguments};
    },

    /** Throws not_found. */
    async effective(machineId: string): Promise<EffectiveConfiguration> {
      const machine = await findMachine(sql, machineId);
      if (!machine) throw new DomainError('not_found', `Cannot find machine "${machineId}"`);
      return effectiveConfiguration(machine, await inherited(machineId));
    },
  };
}
