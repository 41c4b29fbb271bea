import {GroupService} from '@muster/proto/gen/muster/v1/groups_pb.ts';
import type {BootProfile} from '@muster/proto/gen/muster/v1/machines_pb.ts';
import {RuleService} from '@muster/proto/gen/muster/v1/rules_pb.ts';
import {useQuery} from '@connectrpc/connect-query';
import {Link} from '@tanstack/react-router';
import type {ReactNode} from 'react';
import {Card, KeyValues, Skeleton} from '../../ui/blocks.tsx';
import {plural} from '../../ui/format.ts';
import {EmptyState, ErrorState} from '../../ui/states.tsx';

const listedMax = 1000;

/** What groups and discovery rules give to the images of machines that say nothing themselves. */
export function BootProfiles() {
  const groups = useQuery(GroupService.method.listGroups, {pageSize: listedMax});
  const rules = useQuery(RuleService.method.listRules, {pageSize: listedMax});
  const ofGroups = (groups.data?.groups ?? []).filter(group => isUsed(group.bootProfile));
  const ofRules = (rules.data?.rules ?? []).filter(rule => isUsed(rule.bootProfile));
  const error = groups.error ?? rules.error;
  const isNone = ofGroups.length === 0 && ofRules.length === 0;
  return (
    <Card flush title="Boot profiles">
      <ErrorState error={error} attempt="list the boot profiles" />
      {groups.isPending || rules.isPending ? (
        <div className="boot-loading">
          <Skeleton lines={2} />
        </div>
      ) : (
        isNone &&
        !error && (
          <EmptyState icon="group" title="No group and no rule has a boot profile">
            <p>
              A boot profile gives kernel arguments, a serial console, packages and SSH keys to all
              machines of a group or a rule: edit one of the <Link to="/groups">groups</Link>, or
              run <code>muster groups set-boot-profile GROUP --serial-console ttyS0,115200</code>.
            </p>
          </EmptyState>
        )
      )}
      <ul className="boot-profiles">
        {ofGroups.map(({id, name, priority, bootProfile}) => (
          <Profile key={id} profile={bootProfile} note={`priority ${priority}`}>
            Group{' '}
            <Link to="/groups" search={{group: id}}>
              {name}
            </Link>
          </Profile>
        ))}
        {ofRules.map(({id, name, priority, disabled, bootProfile}) => (
          <Profile
            key={id}
            profile={bootProfile}
            note={disabled ? 'disabled' : `priority ${priority}`}
          >
            Rule{' '}
            <Link to="/rules" search={{rule: id}}>
              {name}
            </Link>
          </Profile>
        ))}
      </ul>
    </Card>
  );
}

const isUsed = (profile: BootProfile | undefined): boolean =>
  profile !== undefined &&
  (profile.serialConsole !== '' ||
    profile.kernelArguments.length + profile.packages.length + profile.sshAuthorizedKeys.length >
      0);

function Profile({
  profile,
  note,
  children,
}: {
  readonly profile: BootProfile | undefined;
  readonly note: string;
  readonly children: ReactNode;
}) {
  if (!profile) return null;
  const {kernelArguments, serialConsole, packages, sshAuthorizedKeys} = profile;
  return (
    <li>
      <div>
        <strong>{children}</strong> <span className="muted">{note}</span>
      </div>
      <KeyValues
        entries={[
          ['Serial console', serialConsole && <code>{serialConsole}</code>],
          [
            'Kernel arguments',
            kernelArguments.length > 0 ? <code>{kernelArguments.join(' ')}</code> : undefined,
          ],
          ['Packages', packages.length > 0 ? packages.join(', ') : undefined],
          [
            'SSH keys',
            sshAuthorizedKeys.length > 0 ? plural(sshAuthorizedKeys.length, 'key') : undefined,
          ],
        ]}
      />
    </li>
  );
}
