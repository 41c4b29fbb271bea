import type {BootProfile, MachineTemplate} from '@muster/proto/gen/muster/v1/machines_pb.ts';
import {Link} from '@tanstack/react-router';
import {valueText} from '../../forms/ParameterField.tsx';
import {type Entry, KeyValues} from '../../ui/blocks.tsx';

export const isEmptyProfile = (profile: BootProfile | undefined): boolean =>
  !profile ||
  (profile.serialConsole === '' &&
    profile.kernelArguments.length + profile.packages.length + profile.sshAuthorizedKeys.length ===
      0);

/** What a group or a rule gives to machines that have not their own. */
export function InheritedValues({
  templates,
  profile,
}: {
  readonly templates: readonly MachineTemplate[];
  readonly profile: BootProfile | undefined;
}) {
  const entries: readonly Entry[] = [
    [
      'Templates',
      templates.length > 0 && (
        <ul>
          {templates.map(template => (
            <TemplateLine key={template.name} template={template} />
          ))}
        </ul>
      ),
    ],
    ['Serial console', profile?.serialConsole && <code>{profile.serialConsole}</code>],
    ['Kernel arguments', words(profile?.kernelArguments)],
    ['Packages', words(profile?.packages)],
    [
      'SSH keys of root',
      profile?.sshAuthorizedKeys.map(key => (
        <div key={key} className="mono" title={key}>
          {shortKey(key)}
        </div>
      )),
    ],
  ];
  return (
    <KeyValues
      entries={entries
        .filter(([, value]) => !Array.isArray(value) || value.length > 0)
        .map(([name, value]): Entry => [name, value || undefined])}
    />
  );
}

function TemplateLine({
  template: {name, version, parameters},
}: {
  readonly template: MachineTemplate;
}) {
  const given = Object.entries(parameters ?? {});
  return (
    <li>
      <Link to="/templates" search={{template: name}}>
        {name}
      </Link>{' '}
      <span className="muted">{version === 0 ? 'newest version' : `version ${version}`}</span>
      {given.map(([key, value]) => (
        <div key={key}>
          <code>
            {key} = {valueText(value)}
          </code>
        </div>
      ))}
    </li>
  );
}

const words = (list: readonly string[] = []) =>
  list.length > 0 ? <code>{list.join(' ')}</code> : undefined;

/** "ssh-ed25519 …Qk3x ada@laptop": what people tell keys apart by. */
function shortKey(key: string): string {
  const [kind = '', body = '', ...comment] = key.split(' ');
  return [kind, `…${body.slice(-8)}`, ...comment].join(' ');
}
