import {Service_Kind as Kind, ServiceService} from '@muster/proto/gen/muster/v1/services_pb.ts';
import {useState} from 'react';
import {useAction} from '../../api/use-action.ts';
import {SelectField, TextField} from '../../forms/fields.tsx';
import {FormDialog} from '../../forms/FormDialog.tsx';
import {RelativeTime} from '../../ui/RelativeTime.tsx';
import {SecretDialog} from '../../ui/SecretOnce.tsx';
import {ErrorState} from '../../ui/states.tsx';

const kinds = [
  {value: String(Kind.EDGE), label: 'Edge: answers booting machines'},
  {value: String(Kind.BUILDER), label: 'Builder: makes images'},
];

export function JoinCodeDialog({onClose}: {readonly onClose: () => void}) {
  const [kind, setKind] = useState<Kind>(Kind.EDGE);
  const [name, setName] = useState('');
  const create = useAction(ServiceService.method.createJoinCode);
  const submit = () => create.mutate({kind, name});
  if (create.data)
    return (
      <SecretDialog
        title={`Code for ${name}`}
        what="the join code"
        secret={create.data.code}
        onClose={onClose}
      >
        <p>
          It lets one process join and ends <RelativeTime time={create.data.expireTime} />. Start{' '}
          {name} with it as <code>JOIN_CODE</code>; afterwards it has a key of its own and needs no
          code.
        </p>
      </SecretDialog>
    );
  return (
    <FormDialog
      title="Let an edge or a builder join"
      action="Make a code"
      busy={create.isPending}
      onSubmit={submit}
      onClose={onClose}

      error={<ErrorState error={create.error} attempt="make a code" />}
    >
      <SelectField
        label="What joins"
        choices={kinds}
        value={kind}
        onChange={event =>
          setKind(event.target.value === String(Kind.BUILDER) ? Kind.BUILDER : Kind.EDGE)
        }
      />
      <TextField
        label="Its name"
        hint="Lower case letters, digits and dashes: “rack-12”"
        pattern="[a-z0-9][a-z0-9\-]{0,62}"
        required
        autoFocus
        autoCapitalize="off"
        autoComplete="off"
        value={name}
        onChange={event => setName(event.target.value)}
      />
    </FormDialog>
  );
}
