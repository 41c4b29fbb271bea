import {MachineService} from '@muster/proto/gen/muster/v1/machines_pb.ts';
import {Permission} from '@muster/proto/gen/muster/v1/options_pb.ts';
import {skipToken, useQuery} from '@connectrpc/connect-query';
import {keepPreviousData} from '@tanstack/react-query';
import {useNavigate} from '@tanstack/react-router';
import {useEffect, useId, useMemo, useRef, useState} from 'react';
import {useMay} from '../api/caller.ts';
import {useDebounced} from '../hooks/use-debounced.ts';
import {setTheme} from '../hooks/use-theme.ts';
import {machineName} from '../pages/machines/machine-name.ts';
import {phrasesOf} from '../table/filter-terms.ts';
import {Icon, type IconName} from './icons.tsx';
import {navigation} from './nav.ts';
import {machineStateLook} from './tones.ts';
import {useSignOut} from './UserMenu.tsx';
import './palette.css';

type Command = {
  readonly key: string;
  readonly label: string;
  readonly note: string;
  readonly icon: IconName;
  readonly words: string;
  readonly run: () => void;
};

const machinesMax = 8;
const settleMs = 120;

/** Ctrl-K: pages, actions, and machines by any of their words. */
export function CommandPalette({onClose}: {readonly onClose: () => void}) {
  const [text, setText] = useState('');
  const [marked, setMarked] = useState(0);
  const dialog = useRef<HTMLDialogElement>(null);
  const id = useId();
  const commands = useCommands(text);

  useEffect(() => dialog.current?.showModal(), []);
  useEffect(() => {
    document.getElementById(`${id}-${marked}`)?.scrollIntoView({block: 'nearest'});
  }, [id, marked]);

  const run = (command: Command | undefined) => {
    if (!command) return;
    onClose();
    command.run();
  };
  return (
    <dialog
      ref={dialog}
      className="palette"
      aria-label="Find anything"
      onCancel={onClose}
      onClick={event => {
        if (event.target === dialog.current) onClose();
      }}
      onKeyDown={event => {
        const last = commands.length - 1;
        if (event.key === 'ArrowDown') setMarked(marked >= last ? 0 : marked + 1);
        else if (event.key === 'ArrowUp') setMarked(marked <= 0 ? last : marked - 1);
        else if (event.key === 'Enter') run(commands[marked]);
        else return;
        event.preventDefault();
      }}
    >
      <div className="palette-box">
        <div className="palette-input">
          <Icon name="search" />
          <input
            autoFocus
            role="combobox"
            aria-label="Page, machine or action"
            aria-expanded={commands.length > 0}
            aria-controls={`${id}-list`}
            aria-activedescendant={commands[marked] ? `${id}-${marked}` : undefined}
            autoComplete="off"
            spellCheck={false}
            placeholder="Page, machine, serial, MAC, action …"
            value={text}
            onChange={event => {
              setText(event.target.value);
              setMarked(0);
            }}
          />
        </div>
        <ul id={`${id}-list`} role="listbox" aria-label="Found">
          {commands.map((command, index) => (
            <li
              key={command.key}
              id={`${id}-${index}`}
              role="option"
              aria-selected={index === marked}
              onMouseMove={() => setMarked(index)}
              onClick={() => run(command)}
            >
              <Icon name={command.icon} />
              <span>{command.label}</span>
              <span className="muted">{command.note}</span>
            </li>
          ))}
        </ul>
        {commands.length === 0 && <p className="palette-none muted">Nothing is called that.</p>}
      </div>
    </dialog>
  );
}

function useCommands(text: string): readonly Command[] {
  const navigate = useNavigate();
  const signOut = useSignOut();
  const mayOperate = useMay(Permission.OPERATE);
  const machines = useFoundMachines(text);

  const fixed = useMemo<readonly Command[]>(() => {
    const pages = navigation.flatMap(({items}) =>
      items.map(({label, to, icon, words = ''}) => ({
        key: `page ${label}`,
        label,
        note: 'Page',
        icon,
        words: `${label} ${words}`,
        run: () => void navigate({to}),
      })),
    );
    const action = (label: string, icon: IconName, words: string, run: () => void): Command => ({
      key: `action ${label}`,
      label,
      note: 'Action',
      icon,
      words: `${label} ${words}`,
      run,
    });
    return [
      ...pages,
      ...(mayOperate
        ? [
            action(
              'Accept machines that wait',
              'check',
              'pending',
              () => void navigate({to: '/pending'}),
            ),
            action(
              'Import expected machines',
              'upload',
              'csv register',
              () => void navigate({to: '/machines/import'}),
            ),
          ]
        : []),
      action(
        'Machines that are stuck',
        'warning',
        'problem',
        () => void navigate({to: '/machines', search: {filter: 'stuck = true'}}),
      ),
      action('Dark colours', 'moon', 'theme mode', () => setTheme('dark')),
      action('Light colours', 'sun', 'theme mode', () => setTheme('light')),
      action('Sign out', 'external', 'log out', signOut),
    ];
  }, [navigate, mayOperate, signOut]);

  const words = text.toLowerCase().split(/\s+/).filter(Boolean);
  const fits = fixed.filter(command =>
    words.every(word => command.words.toLowerCase().includes(word)),
  );
  return [
    ...fits,
    ...machines.map(machine => ({
      key: machine.id,
      label: machineName(machine),
      note: [machineStateLook(machine.state).word, machine.serviceTag].filter(Boolean).join(' · '),
      icon: 'machine' as const,
      words: '',
      run: () => void navigate({to: '/machines/$id', params: {id: machine.id}}),
    })),
  ];
}

function useFoundMachines(text: string) {
  const words = useDebounced(text.trim(), settleMs);
  const {data} = useQuery(
    MachineService.method.listMachines,
    words.length < 2
      ? skipToken
      : {
          filter: phrasesOf(words).join(' '),
          pageSize: machinesMax,
          readMask: {paths: ['id', 'hostname', 'service_tag', 'mac_address', 'product', 'state']},
        },
    {placeholderData: keepPreviousData},
  );
  return words.length < 2 ? [] : (data?.machines ?? []);
}
