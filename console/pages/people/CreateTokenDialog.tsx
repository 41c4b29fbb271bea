import {Permission} from '@muster/proto/gen/muster/v1/options_pb.ts';
import {TokenService} from '@muster/proto/gen/muster/v1/tokens_pb.ts';
import {WorkspaceService} from '@muster/proto/gen/muster/v1/workspaces_pb.ts';
import {useQuery} from '@connectrpc/connect-query';
import {useState} from 'react';
import {useMay} from '../../api/caller.ts';
import {useAction} from '../../api/use-action.ts';
import {SelectField, TextField} from '../../forms/fields.tsx';
import {FormDialog} from '../../forms/FormDialog.tsx';
import {CommandLine} from '../../ui/CommandLine.tsx';
import {RelativeTime} from '../../ui/RelativeTime.tsx';
import {SecretDialog} from '../../ui/SecretOnce.tsx';
import {ErrorState} from '../../ui/states.tsx';
import {permissionWord} from './roles.ts';

const daySeconds = 86_400;
const lifetimes = [1, 7, 30, 90, 180, 366].map(days => ({
  value: String(days * daySeconds),
  label: days === 1 ? '1 day' : `${days} days`,
}));
const levels = [
  Permission.VIEW,
  Permission.DEVELOP,
  Permission.OPERATE,
  Permission.ADMINISTER,
] as const;
const permissions = levels.map(level => ({value: String(level), label: permissionWord(level)}));
const permissionOf = (text: string): Permission =>
  levels.find(level => String(level) === text) ?? Permission.VIEW;
const workspacesMax = 1000;

type CreateTokenDialogProps = {
  /** Whose tokens are being looked at; undefined: one's own. */
  readonly user: string | undefined;
  readonly onClose: () => void;
};

const useCreateToken = () => useAction(TokenService.method.createApiToken);

export function CreateTokenDialog({user, onClose}: CreateTokenDialogProps) {
  const create = useCreateToken();
  if (create.data)
    return (
      <SecretDialog
        title={`Token ${create.data.apiToken?.name ?? ''}`}
        what="the token"
        secret={create.data.token}
        onClose={onClose}
      >
        <p>
          It ends <RelativeTime time={create.data.apiToken?.expireTime} />. Programs send it as{' '}
          <code>Authorization: Bearer …</code>; the command line takes it from the environment:
        </p>
        <CommandLine command="MUSTER_TOKEN=… muster machines list" />
      </SecretDialog>
    );
  return <TokenForm user={user} create={create} onClose={onClose} />;
}

type TokenFormProps = CreateTokenDialogProps & {
  readonly create: ReturnType<typeof useCreateToken>;
};

function TokenForm({user, create, onClose}: TokenFormProps) {
  const isAdmin = useMay(Permission.ADMINISTER);
  const [name, setName] = useState('');
  const [owner, setOwner] = useState(user ?? '');
  const [permission, setPermission] = useState<Permission>(Permission.VIEW);
  const [workspaceId, setWorkspaceId] = useState('');
  const [lifetimeSeconds, setLifetimeSeconds] = useState(90 * daySeconds);
  const submit = () =>
    create.mutate({name, permission, lifetimeSeconds, userId: owner.trim(), workspaceId});
  return (
    <FormDialog
      title="New API token"
      action="Make the token"
      busy={create.isPending}
      onSubmit={submit}
      onClose={onClose}

      error={<ErrorState error={create.error} attempt="make the token" />}
    >
      <TextField
        label="What it is for"
        hint="For example “ci” or “inventory export”"
        pattern="[a-zA-Z0-9][a-zA-Z0-9._ \-]{0,62}"
        required
        autoFocus
        autoComplete="off"
        value={name}
        onChange={event => setName(event.target.value)}
      />
      <SelectField
        label="May at most"
        hint="Never more than its user may at that moment"
        choices={permissions}
        value={permission}
        onChange={event => setPermission(permissionOf(event.target.value))}
      />
      <WhereField value={workspaceId} onChange={setWorkspaceId} />
      <SelectField
        label="Ends after"
        choices={lifetimes}
        value={lifetimeSeconds}
        onChange={event => setLifetimeSeconds(Number(event.target.value))}
      />
      {isAdmin && (
        <TextField
          label="Whose (empty: your own)"
          hint="The name of a user; make one with the role that the program needs"
          autoCapitalize="off"
          autoComplete="off"
          value={owner}
          onChange={event => setOwner(event.target.value)}
        />
      )}
    </FormDialog>
  );
}

type WhereFieldProps = {readonly value: string; readonly onChange: (workspaceId: string) => void};

function WhereField({value, onChange}: WhereFieldProps) {
  const {data} = useQuery(WorkspaceService.method.listWorkspaces, {pageSize: workspacesMax});
  return (
    <SelectField
      label="Where"
      choices={[
        {value: '', label: 'Wherever its user has a role'},
        ...(data?.workspaces ?? []).map(({id, name}) => ({
          value: id,
          label: `Workspace ${name} only`,
        })),
      ]}
      value={value}
      onChange={event => onChange(event.target.value)}
    />
  );
}
