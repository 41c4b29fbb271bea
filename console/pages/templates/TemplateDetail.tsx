import {type Template, TemplateService} from '@muster/proto/gen/muster/v1/templates_pb.ts';
import {skipToken, useQuery} from '@connectrpc/connect-query';
import {useNavigate, useSearch} from '@tanstack/react-router';
import {useState} from 'react';
import {useOperateReason} from '../../api/caller.ts';
import {useAction} from '../../api/use-action.ts';
import {LazyNixEditor} from '../../editor/LazyNixEditor.tsx';
import {Badge} from '../../ui/Badge.tsx';
import {Skeleton} from '../../ui/blocks.tsx';
import {Button, ButtonLink} from '../../ui/Button.tsx';
import {ConfirmDialog} from '../../ui/Dialog.tsx';
import {RelativeTime} from '../../ui/RelativeTime.tsx';
import {SearchTabs} from '../../ui/SearchTabs.tsx';
import {BackLink, DetailHeader} from '../../ui/SplitPage.tsx';
import {ErrorState} from '../../ui/states.tsx';
import {showToast} from '../../ui/Toast.tsx';
import {ParameterTable} from './ParameterTable.tsx';
import {TemplateMachines} from './TemplateMachines.tsx';
import {VersionChanges} from './VersionChanges.tsx';
import {VersionSelect} from './VersionSelect.tsx';

/** One version of a template; the address says which. */
export function TemplateDetail({newest}: {readonly newest: Template}) {
  const {version: text, tab} = useSearch({from: '/shell/templates'});
  const version = Number(text ?? newest.version);
  const isNewest = version === newest.version;
  const {data, error} = useQuery(
    TemplateService.method.getTemplate,
    isNewest ? skipToken : {name: newest.name, version},
    {staleTime: Infinity},
  );
  const template = isNewest ? newest : data?.template;
  return (
    <>
      <DetailHeader
        title={newest.name}
        back={<BackLink to="/templates">All templates</BackLink>}
        beside={newest.builtin && <Badge look={{word: 'Of Muster', tone: 'info', icon: 'star'}} />}
        actions={<TemplateActions newest={newest} />}
      />
      {newest.description && <p>{newest.description}</p>}
      <div className="version-bar">
        <VersionSelect
          label="Version"
          newest={newest.version}
          version={version}
          search={chosen => ({template: newest.name, version: chosen, tab})}
        />
        {template && (
          <span className="muted">
            made <RelativeTime time={template.createTime} />
          </span>
        )}
      </div>
      <DetailTabs newest={newest} />
      <ErrorState error={error} attempt="load this version" />
      {!error && !template && <Skeleton lines={8} />}
      {template && <Shown template={template} newest={newest} />}
    </>
  );
}

function Shown({template, newest}: {readonly template: Template; readonly newest: Template}) {
  const {tab} = useSearch({from: '/shell/templates'});
  if (tab === 'parameters') return <ParameterTable parameters={template.parameters} />;
  if (tab === 'changes') return <VersionChanges template={template} newest={newest.version} />;
  if (tab === 'machines') return <TemplateMachines name={template.name} />;
  return <LazyNixEditor label="NixOS module" value={template.nixosModule} />;
}

function DetailTabs({newest}: {readonly newest: Template}) {
  const {tab, version} = useSearch({from: '/shell/templates'});
  const search = (shown?: string) => ({template: newest.name, version, tab: shown});
  const tabs = [
    ['Module', undefined],
    ['Parameters', 'parameters'],
    ['Changes', 'changes'],
    ['Machines', 'machines'],
  ] as const;
  return (
    <SearchTabs
      label="Template"
      tabs={tabs.map(([label, shown]) => ({
        label,
        link: {to: '/templates', search: search(shown)},
        isCurrent: tab === shown,
      }))}
    />
  );
}

function TemplateActions({newest}: {readonly newest: Template}) {
  const [deleting, setDeleting] = useState(false);
  const reason = useOperateReason();
  const {name, builtin} = newest;
  if (reason !== undefined) return <span className="muted">{reason}</span>;
  return (
    <>
      <ButtonLink to="/templates" search={{template: name, mode: 'new'}} icon="copy">
        {builtin ? 'Make your own of it' : 'Copy'}
      </ButtonLink>
      {!builtin && (
        <ButtonLink to="/templates" search={{template: name, mode: 'edit'}} kind="primary">
          New version
        </ButtonLink>
      )}
      <Button
        kind="danger"
        disabledReason={
          builtin ? 'It comes with Muster: it is neither changed nor deleted' : undefined
        }
        onClick={() => setDeleting(true)}
      >
        Delete…
      </Button>
      {deleting && <DeleteDialog name={name} onClose={() => setDeleting(false)} />}
    </>
  );
}

function DeleteDialog({name, onClose}: {readonly name: string; readonly onClose: () => void}) {
  const navigate = useNavigate();
  const remove = useAction(TemplateService.method.deleteTemplate);
  const confirm = () =>
    remove.mutate(
      {name},
      {
        onSuccess: () => {
          showToast(`Template ${name} is deleted`);
          void navigate({to: '/templates'});
        },
      },
    );
  return (
    <ConfirmDialog
      title={`Delete template ${name}?`}
      action="Delete the template"
      typeToConfirm={name}
      busy={remove.isPending}
      error={<ErrorState error={remove.error} attempt="delete the template" />}
      onConfirm={confirm}
      onClose={onClose}
    >
      <p>
        All its versions go, and cannot be brought back. It is refused while a machine, a group or a
        rule uses it.
      </p>
    </ConfirmDialog>
  );
}
