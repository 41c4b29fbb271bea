import {type Template, TemplateService} from '@muster/proto/gen/muster/v1/templates_pb.ts';
import {skipToken, useQuery} from '@connectrpc/connect-query';
import {useSearch} from '@tanstack/react-router';
import {LineDiff} from '../../editor/LineDiff.tsx';
import {Card, Skeleton} from '../../ui/blocks.tsx';
import {EmptyState, ErrorState} from '../../ui/states.tsx';
import {templateText} from './template-draft.ts';
import {VersionSelect} from './VersionSelect.tsx';

/** What a version changed: against the one before it, or any other. */
export function VersionChanges({
  template,
  newest,
}: {
  readonly template: Template;
  readonly newest: number;
}) {
  const {against, version: chosen, tab} = useSearch({from: '/shell/templates'});
  const {name, version} = template;
  const other = Number(against ?? version - 1);
  const {data, error} = useQuery(
    TemplateService.method.getTemplate,
    other > 0 ? {name, version: other} : skipToken,
    {staleTime: Infinity},
  );
  if (newest === 1)
    return (
      <EmptyState icon="template" title="It has one version only">
        <p>Each change adds a version; what changed is shown here.</p>
      </EmptyState>
    );
  return (
    <Card
      flush
      title={other > 0 ? `What version ${version} has against ${other}` : 'The first version'}
      actions={
        <VersionSelect
          label="Against"
          newest={newest}
          version={other > 0 ? other : 1}
          search={next => ({template: name, version: chosen, tab, against: next})}
        />
      }
    >
      <ErrorState error={error} attempt={`load version ${other}`} />
      {!error && other > 0 && !data?.template && <Skeleton lines={6} />}
      {other <= 0 && <LineDiff before="" after={templateText(template)} />}
      {data?.template && (
        <LineDiff before={templateText(data.template)} after={templateText(template)} />
      )}
    </Card>
  );
}
