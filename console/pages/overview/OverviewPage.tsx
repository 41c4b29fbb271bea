import {PageHeader} from '../../ui/blocks.tsx';

export function OverviewPage() {
  return (
    <div className="page">
      <PageHeader title="Overview" />
    </div>
  );
}
