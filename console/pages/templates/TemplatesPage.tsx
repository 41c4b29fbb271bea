import {type Template, TemplateService} from '@muster/proto/gen/muster/v1/templates_pb.ts';
import {useQuery} from '@connectrpc/connect-query';
import {useSearch} from '@tanstack/react-router';
import {useOperateReason} from '../../api/caller.ts';
import {Skeleton} from '../../ui/blocks.tsx';
import {ButtonLink} from '../../ui/Button.tsx';
import {plural} from '../../ui/format.ts';
import {Loading} from '../../ui/Loading.tsx';
import {Item, ItemList, SplitPage} from '../../ui/SplitPage.tsx';
import {EmptyState} from '../../ui/states.tsx';
import {TemplateDetail} from './TemplateDetail.tsx';
import {TemplateEditor} from './TemplateEditor.tsx';
import '../rules/rules.css';
import '../groups/groups.css';
import './templates.css';

const pageSize = 1000;

/** NixOS modules with parameters that machines share. */
export function TemplatesPage() {
  const {template: name, mode} = useSearch({from: '/shell/templates'});
  const {data, error, refetch} = useQuery(TemplateService.method.listTemplates, {pageSize});
  const reason = useOperateReason();
  const templates = data?.templates;
  return (
    <SplitPage
      title="Templates"
      actions={
        reason === undefined && (
          <ButtonLink to="/templates" search={{mode: 'new'}} kind="primary" icon="plus">
            New template
          </ButtonLink>
        )
      }
      openKey={name ?? mode}
      list={
        templates ? (
          <TemplateList templates={templates} openName={name} />
        ) : (
          <Loading error={error} refetch={refetch} attempt="load the templates" lines={8} />
        )
      }
    >
      <Opened templates={templates} />
    </SplitPage>
  );
}

function TemplateList({
  templates,
  openName,
}: {
  readonly templates: readonly Template[];
  readonly openName: string | undefined;
}) {
  if (templates.length === 0)
    return (
      <EmptyState icon="template" title="No templates yet">
        <p>
          A template is a NixOS module with parameters: machines, groups and rules name it instead
          of each having its own module.
        </p>
        <p>
          <code>muster templates create NAME --module FILE</code>
        </p>
      </EmptyState>
    );
  return (
    <ItemList label="Templates">
      {templates.map(({name, version, builtin, description, parameters}) => (
        <li key={name}>
          <Item
            to="/templates"
            search={{template: name}}
            item={name}
            isOpen={name === openName}
            name={name}
            beside={<span className="muted">version {version}</span>}
          >
            {description && <span>{description}</span>}
            <span>{plural(parameters.length, 'parameter')}</span>
            {builtin && <span>of Muster</span>}
          </Item>
        </li>
      ))}
    </ItemList>
  );
}

function Opened({templates}: {readonly templates: readonly Template[] | undefined}) {
  const {template: name, mode} = useSearch({from: '/shell/templates'});
  if (name === undefined && mode === 'new')
    return <TemplateEditor key="new" template={undefined} />;
  if (name === undefined)
    return templates && templates.length > 0 ? (
      <EmptyState icon="template" title="Choose a template">
        <p>Its module, its parameters, what each version changed, and the machines that use it.</p>
      </EmptyState>
    ) : null;
  if (!templates) return <Skeleton lines={8} />;
  const newest = templates.find(template => template.name === name);
  if (!newest)
    return (
      <EmptyState icon="question" title={`No template is called “${name}”`}>
        <p>It may have been deleted.</p>
        <ButtonLink to="/templates">All templates</ButtonLink>
      </EmptyState>
    );
  if (mode === 'new')
    return <TemplateEditor key={`copy ${name}`} template={undefined} copyOf={newest} />;
  if (mode === 'edit' && !newest.builtin) return <TemplateEditor key={name} template={newest} />;
  return <TemplateDetail key={name} newest={newest} />;
}
