import {
  type Template,
  type TemplateMachine,
  TemplateService,
} from '@muster/proto/gen/muster/v1/templates_pb.ts';
import {useNavigate} from '@tanstack/react-router';
import {useMutation} from '@connectrpc/connect-query';
import {useState} from 'react';
import {useOperateReason} from '../../api/caller.ts';
import {useAction} from '../../api/use-action.ts';
import {LazyNixEditor} from '../../editor/LazyNixEditor.tsx';
import {useNixSyntax} from '../../editor/use-nix-syntax.ts';
import {TextField} from '../../forms/fields.tsx';
import {Form} from '../../forms/Form.tsx';
import {FormFooter} from '../../forms/FormFooter.tsx';
import {LeaveGuard} from '../../forms/LeaveGuard.tsx';
import {Button, ButtonLink} from '../../ui/Button.tsx';
import {plural} from '../../ui/format.ts';
import {Icon} from '../../ui/icons.tsx';
import {BackLink, DetailHeader} from '../../ui/SplitPage.tsx';
import {ErrorState, Notice} from '../../ui/states.tsx';
import {showToast} from '../../ui/Toast.tsx';
import {ParameterEditor} from './ParameterEditor.tsx';
import {
  draftOfTemplate,
  hasMistake,
  type TemplateDraft,
  templateMistakes,
  templateOfDraft,
} from './template-draft.ts';
import {TemplateMachineList} from './TemplateMachines.tsx';
import '../../forms/form-parts.css';

type EditorProps = {
  /** Its next version is written; without it a new template is. */
  readonly template: Template | undefined;
  /** What a new template begins with. */
  readonly copyOf?: Template | undefined;
};

export function TemplateEditor({template, copyOf}: EditorProps) {
  const from = template ?? copyOf;
  const [first] = useState(() => firstDraft(template, copyOf));
  const [draft, setDraft] = useState(first);
  const [isTried, setTried] = useState(false);
  const {save, tryIt, isPending, isSaved, error} = useSaveTemplate(template);
  const operateReason = useOperateReason();
  const change = (part: Partial<TemplateDraft>) => {
    setDraft({...draft, ...part});
    // What was tried was another text.
    tryIt.reset();
  };
  const mistake = hasMistake(draft);
  const submit = () => {
    setTried(true);
    if (!mistake) save(draft);
  };
  const check = () => {
    setTried(true);
    if (!mistake) tryIt.mutate({template: templateOfDraft(draft), dryRun: true});
  };
  return (
    <Form className="form roomy" onSubmit={submit} aria-label="Template">
      <DetailHeader
        title={template ? `${template.name}, version ${template.version + 1}` : 'New template'}
        back={<BackLink to="/templates">All templates</BackLink>}
      />
      <NameFields draft={draft} change={change} isNew={!template} isTried={isTried} />
      <ModuleField value={draft.nixosModule} onChange={nixosModule => change({nixosModule})} />
      <ParameterEditor
        parameters={draft.parameters}
        isTried={isTried}
        onChange={parameters => change({parameters})}
      />
      {tryIt.data && <Reached machines={tryIt.data.machines} />}
      <FormFooter error={error} attempt="keep the template" hasMistakes={isTried && mistake}>
        <ButtonLink to="/templates" search={from ? {template: from.name} : {}}>
          Cancel
        </ButtonLink>
        {template && (
          <Button busy={tryIt.isPending} disabledReason={operateReason} onClick={check}>
            Which machines?
          </Button>
        )}
        <Button type="submit" kind="primary" busy={isPending} disabledReason={operateReason}>
          {template ? `Save as version ${template.version + 1}` : 'Make the template'}
        </Button>
      </FormFooter>
      <LeaveGuard isDirty={JSON.stringify(draft) !== JSON.stringify(first) && !isSaved} />
    </Form>
  );
}

const firstDraft = (
  template: Template | undefined,
  copyOf: Template | undefined,
): TemplateDraft => ({
  ...draftOfTemplate(template ?? copyOf),
  ...(!template && {name: copyOf ? `${copyOf.name}-own` : ''}),
});

function ModuleField({
  value,
  onChange,
}: {
  readonly value: string;
  readonly onChange: (value: string) => void;
}) {
  const syntax = useNixSyntax(value);
  return (
    <div className="form-part">
      <LazyNixEditor
        label="NixOS module"
        value={value}
        findings={syntax.findings}
        onChange={onChange}
      />
      <SyntaxState {...syntax} />
    </div>
  );
}

const Reached = ({machines}: {readonly machines: readonly TemplateMachine[]}) => (
  <Notice tone="info" icon="info">
    <strong>{plural(machines.length, 'machine')} would be built anew at the next build.</strong>
    <TemplateMachineList machines={machines} />
  </Notice>
);

function useSaveTemplate(template: Template | undefined) {
  const navigate = useNavigate();
  const [isSaved, setSaved] = useState(false);
  const create = useAction(TemplateService.method.createTemplate);
  const update = useAction(TemplateService.method.updateTemplate);
  const tryIt = useMutation(TemplateService.method.updateTemplate);
  const onSuccess = (answer: {readonly template?: Template | undefined}) => {
    const {name = '', version = 0} = answer.template ?? {};
    setSaved(true);
    showToast(
      version === template?.version
        ? `Nothing differs from version ${version}: no version was added`
        : `Version ${version} of ${name} is saved. It builds nothing by itself`,
    );
    void navigate({to: '/templates', search: {template: name}, ignoreBlocker: true});
  };
  const save = (draft: TemplateDraft) =>
    template
      ? update.mutate({template: templateOfDraft(draft)}, {onSuccess})
      : create.mutate({template: templateOfDraft(draft)}, {onSuccess});
  return {
    save,
    tryIt,
    isSaved,
    isPending: create.isPending || update.isPending,
    error: create.error ?? update.error ?? tryIt.error,
  };
}

type NameProps = {
  readonly draft: TemplateDraft;
  readonly change: (part: Partial<TemplateDraft>) => void;
  readonly isNew: boolean;
  readonly isTried: boolean;
};

function NameFields({draft, change, isNew, isTried}: NameProps) {
  return (
    <div className="field-columns">
      {isNew && (
        <TextField
          label="Name"
          required
          autoFocus
          autoCapitalize="off"
          className="input mono"
          value={draft.name}
          error={isTried ? templateMistakes(draft).name : undefined}
          onChange={({target}) => change({name: target.value})}
        />
      )}
      <TextField
        label="Description"
        value={draft.description}
        onChange={({target}) => change({description: target.value})}
      />
    </div>
  );
}

function SyntaxState({findings, error, isChecking, isClean}: ReturnType<typeof useNixSyntax>) {
  if (error) return <ErrorState error={error} attempt="check the syntax" />;
  if (isClean)
    return (
      <div className="hint" role="status">
        <Icon name="check" size={12} /> The syntax is right. Machines that use it are evaluated when
        they are built, or by <code>muster config validate</code>
      </div>
    );
  return (
    <div className="hint" role="status">
      {findings.length > 0
        ? 'A module whose syntax is wrong is not kept'
        : isChecking && 'Checking the syntax …'}
    </div>
  );
}
