import type {Group} from '@muster/proto/gen/muster/v1/groups_pb.ts';
import {Card} from '../../ui/blocks.tsx';
import {CommandLine} from '../../ui/CommandLine.tsx';
import {plainTests} from './gate-draft.ts';

/** "service:sshd.service" as people say it. */
function gateWords(test: string): string {
  const [kind, name = ''] = test.split(/:(.*)/);
  if (kind === 'service') return `${name} is active`;
  if (kind === 'script') return `The script ${name} passes`;
  return plainTests.find(each => each.test === test)?.label ?? test;
}

/** What an image has to pass before a machine of the group may have it. */
export function GateCard({group}: {readonly group: Group}) {
  return (
    <Card title="Gate">
      {group.imageGate.length === 0 ? (
        <>
          <p className="muted">
            None: its machines get an image when its build ends, if no other group of theirs holds
            it back. Edit the group to require tests, or run
          </p>
          <CommandLine command={`muster groups update ${group.name} --gate boot-uefi hello`} />
        </>
      ) : (
        <>
          <p className="muted">An image comes to its machines when it has passed all of these:</p>
          <ul className="gate-list" aria-label="Tests of the gate">
            {group.imageGate.map(test => (
              <li key={test}>
                {gateWords(test)} <code className="muted">{test}</code>
              </li>
            ))}
          </ul>
        </>
      )}
    </Card>
  );
}
