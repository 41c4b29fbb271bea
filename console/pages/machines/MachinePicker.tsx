import {type Machine, MachineService} from '@muster/proto/gen/muster/v1/machines_pb.ts';
import {skipToken, useQuery} from '@connectrpc/connect-query';
import {keepPreviousData} from '@tanstack/react-query';
import {useState} from 'react';
import {Combobox} from '../../forms/Combobox.tsx';
import {useDebounced} from '../../hooks/use-debounced.ts';
import {phrasesOf} from '../../table/filter-terms.ts';
import {Icon} from '../../ui/icons.tsx';
import {machineStateLook} from '../../ui/tones.ts';
import {machineName} from './machine-name.ts';

const machinesMax = 8;
const settleMs = 150;
const none: readonly Machine[] = [];

/** Finds one machine by any of its words: host name, serial number, MAC, model, label. */
export function MachinePicker({
  label,
  placeholder = 'Host name, serial, MAC …',
  onPick,
}: {
  readonly label: string;
  readonly placeholder?: string;
  readonly onPick: (machine: Machine) => void;
}) {
  const [text, setText] = useState('');
  const machines = useFoundMachines(text);
  const pick = (id: string | undefined) => {
    const machine = machines.find(machine => machine.id === id);
    if (!machine) return;
    setText('');
    onPick(machine);
  };
  return (
    <Combobox
      label={label}
      placeholder={placeholder}
      value={text}
      onChange={setText}
      before={<Icon name="search" />}
      options={machines.map(machine => ({
        value: machine.id,
        label: machineName(machine),
        note: [machineStateLook(machine.state).word, machine.serviceTag, machine.macAddress]
          .filter(Boolean)
          .join(' · '),
      }))}
      onPick={({value}) => pick(value)}
      // Enter takes the only one.
      onSubmit={() => pick(machines.length === 1 ? machines[0]?.id : undefined)}
    />
  );
}

function useFoundMachines(text: string): readonly Machine[] {
  const words = useDebounced(text.trim(), settleMs);
  const {data} = useQuery(
    MachineService.method.listMachines,
    words === ''
      ? skipToken
      : {
          filter: phrasesOf(words).join(' '),
          pageSize: machinesMax,
        },
    {placeholderData: keepPreviousData},
  );
  return words === '' ? none : (data?.machines ?? none);
}
