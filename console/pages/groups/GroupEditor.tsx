import {type Group, GroupService} from '@muster/proto/gen/muster/v1/groups_pb.ts';
import {MachineService} from '@muster/proto/gen/muster/v1/machines_pb.ts';
import {Code} from '@connectrpc/connect';
import {useNavigate} from '@tanstack/react-router';
import {useState} from 'react';
import {useOperateReason} from '../../api/caller.ts';
import {useAction} from '../../api/use-action.ts';
import {BootProfileFields} from '../../forms/BootProfileFields.tsx';
import {TextField} from '../../forms/fields.tsx';
import {FilterField} from '../../forms/FilterField.tsx';
import {Form} from '../../forms/Form.tsx';
import {FormFooter} from '../../forms/FormFooter.tsx';
import {LeaveGuard} from '../../forms/LeaveGuard.tsx';
import {NameFields} from '../../forms/NameFields.tsx';
import {RadioCards} from '../../forms/RadioCards.tsx';
import {TemplatesField} from '../../forms/TemplatesField.tsx';
import {Button, ButtonLink} from '../../ui/Button.tsx';
import {BackLink, DetailHeader} from '../../ui/SplitPage.tsx';
import {ErrorState} from '../../ui/states.tsx';
import {showToast} from '../../ui/Toast.tsx';
import {FilterMatches, useFilterMatches} from './FilterMatches.tsx';
import {GateFields} from './GateFields.tsx';
import {
  draftOfGroup,
  type GroupDraft,
  groupMistakes,
  groupOfDraft,
  groupPaths,
  hasMistake,
} from './group-draft.ts';
import '../../forms/form-parts.css';

type PartProps = {
  readonly draft: GroupDraft;
  readonly change: (part: Partial<GroupDraft>) => void;
  readonly isTried: boolean;
};

export function GroupEditor({group}: {readonly group: Group | undefined}) {
  const [draft, setDraft] = useState(() => draftOfGroup(group));
  const [isTried, setTried] = useState(false);
  const {save, isPending, error, isSaved} = useSaveGroup(group);
  const operateReason = useOperateReason();
  const change = (part: Partial<GroupDraft>) => setDraft({...draft, ...part});
  const isDirty = JSON.stringify(draft) !== JSON.stringify(draftOfGroup(group));
  const submit = () => {
    setTried(true);
    if (!hasMistake(draft)) save(draft);
  };
  const part = {draft, change, isTried};
  return (
    <Form className="form roomy" onSubmit={submit} aria-label={group ? 'Edit group' : 'New group'}>
      <DetailHeader
        title={group ? `Edit ${group.name}` : 'New group'}
        back={<BackLink to="/groups">All groups</BackLink>}
      />
      <NameFields
        {...part}
        mistakes={groupMistakes(draft)}
        priorityHint="Of the groups of a machine the highest counts, then the name"
      >
        <TextField
          label="Tags"
          hint="With spaces between them"
          value={draft.tags}
          onChange={({target}) => change({tags: target.value})}
        />
      </NameFields>
      <MemberFields {...part} />
      <InheritedFields {...part} />
      <GateFields draft={draft.gate} onChange={gate => change({gate})} />
      <FormFooter error={error} attempt="save the group" hasMistakes={isTried && hasMistake(draft)}>
        <ButtonLink to="/groups" search={group ? {group: group.name} : {}}>
          Cancel
        </ButtonLink>
        <Button type="submit" kind="primary" busy={isPending} disabledReason={operateReason}>
          {group ? 'Save the group' : 'Make the group'}
        </Button>
      </FormFooter>
      <LeaveGuard isDirty={isDirty && !isSaved} />
    </Form>
  );
}

function InheritedFields({draft, change}: PartProps) {
  return (
    <fieldset className="form-part">
      <legend>What its machines inherit</legend>
      <div className="hint">
        Where a machine has not its own. A change builds nothing by itself: roll it out.
      </div>
      <TemplatesField uses={draft.uses} onChange={uses => change({uses})} />
      <BootProfileFields draft={draft.profile} onChange={profile => change({profile})} />
    </fieldset>
  );
}

function useSaveGroup(group: Group | undefined) {
  const navigate = useNavigate();
  const [isSaved, setSaved] = useState(false);
  const alsoStale = {also: [MachineService]};
  const create = useAction(GroupService.method.createGroup, alsoStale);
  const update = useAction(GroupService.method.updateGroup, alsoStale);
  const onSuccess = (answer: {readonly group?: Group | undefined}) => {
    const name = answer.group?.name ?? '';
    setSaved(true);
    showToast(`Group ${name} is saved`);
    void navigate({to: '/groups', search: {group: name}, ignoreBlocker: true});
  };
  const save = (draft: GroupDraft) =>
    group
      ? update.mutate(
          {group: {...groupOfDraft(draft), id: group.id}, updateMask: {paths: groupPaths}},
          {onSuccess},
        )
      : create.mutate({group: groupOfDraft(draft)}, {onSuccess});
  return {
    save,
    isSaved,
    isPending: create.isPending || update.isPending,
    error: create.error ?? update.error,
  };
}

function MemberFields({draft, change, isTried}: PartProps) {
  const {matches, error, isOld} = useFilterMatches(draft.kind === 'rule' ? draft.filter : '');
  const isRefused = error?.code === Code.InvalidArgument;
  return (
    <>
      <RadioCards
        label="Which machines"
        value={draft.kind}
        onChange={kind => change({kind})}
        options={[
          {value: 'hand', label: 'By hand', note: 'machines are put in and taken out'},
          {value: 'rule', label: 'By a filter', note: 'whoever meets it is in, at any time'},
        ]}
      />
      {draft.kind === 'rule' && (
        <div className="form-part">
          <FilterField
            label="A machine is in the group when"
            value={draft.filter}
            onChange={filter => change({filter})}
            placeholder={'labels.rack = "r7" AND hardware.memory_bytes >= 64GiB'}
            hint="As in the filter of the machines, without group"
            error={isRefused ? error.rawMessage : isTried ? groupMistakes(draft).filter : undefined}
          />
          {!isRefused && <ErrorState error={error} attempt="count the machines" />}
          <FilterMatches matches={matches} isOld={isOld} />
        </div>
      )}
    </>
  );
}
