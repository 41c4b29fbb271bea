import {PageHeader} from '../../ui/blocks.tsx';

export function MachinesPage() {
  return (
    <div className="page">
      <PageHeader title="Machines" />
    </div>
  );
}
