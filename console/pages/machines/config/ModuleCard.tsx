import type {Machine} from '@muster/proto/gen/muster/v1/machines_pb.ts';
import {useState} from 'react';
import {useOperateReason} from '../../../api/caller.ts';
import {LazyNixEditor} from '../../../editor/LazyNixEditor.tsx';
import {Checkbox} from '../../../forms/fields.tsx';
import {Card} from '../../../ui/blocks.tsx';
import {Button} from '../../../ui/Button.tsx';
import {ErrorState} from '../../../ui/states.tsx';
import {showToast} from '../../../ui/Toast.tsx';
import {useUpdateMachine} from '../use-update-machine.ts';
import {useValidation} from './use-validation.ts';
import {ValidationState} from './ValidationState.tsx';
import './config.css';

const paths = ['nixos_config'];

/** The machine's own NixOS module: checked while it is written, and shown against what is saved. */
export function ModuleCard({machine}: {readonly machine: Machine}) {
  const {id, nixosConfig: saved} = machine;
  const [text, setText] = useState(saved);
  const [base, setBase] = useState(saved);
  const [isDiff, setDiff] = useState(false);
  const mayNot = useOperateReason(machine.workspaceId);
  const update = useUpdateMachine();
  const isChanged = text !== base;
  // Somebody else has saved meanwhile: theirs is not overwritten unseen.
  const isOvertaken = saved !== base;
  const validation = useValidation(id, text, mayNot === undefined && isChanged);

  const save = () =>
    update.mutate(
      {machine: {id, nixosConfig: text}, updateMask: {paths}},
      {
        onSuccess: () => {
          setBase(text);
          showToast('Saved. Build the machine to use it.', {
            undo: () => {
              update.mutate({machine: {id, nixosConfig: base}, updateMask: {paths}});
              setText(base);
              setBase(base);
            },
          });
        },
      },
    );
  return (
    <Card
      title="NixOS module"
      actions={
        <Checkbox
          label="Show changes"
          checked={isDiff}
          onChange={event => setDiff(event.target.checked)}
        />
      }
    >
      <div className="config">
        {isOvertaken && (
          <ErrorState
            error={
              new Error('Somebody else has saved this module: save to replace theirs, or reset')
            }
            attempt="keep both"
          />
        )}
        <LazyNixEditor
          label="NixOS module of this machine"
          value={text}
          {...(mayNot === undefined && {onChange: setText})}
          findings={validation.findings}
          original={isDiff ? saved : undefined}
        />
        <ValidationState validation={validation} />
        <ErrorState error={update.error} attempt="save the module" />
        <div className="form-actions">
          <Button
            disabledReason={isChanged || isOvertaken ? undefined : 'Nothing is changed'}
            onClick={() => {
              setText(saved);
              setBase(saved);
            }}
          >
            Reset
          </Button>
          <Button
            kind="primary"
            busy={update.isPending}
            disabledReason={mayNot ?? (isChanged ? undefined : 'Nothing is changed')}
            onClick={save}
          >
            Save
          </Button>
        </div>
      </div>
    </Card>
  );
}
