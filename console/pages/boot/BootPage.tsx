import {useSearch} from '@tanstack/react-router';
import {PageHeader} from '../../ui/blocks.tsx';
import {BootEntries} from './BootEntries.tsx';
import {BootExplain} from './BootExplain.tsx';
import {BootProfiles} from './BootProfiles.tsx';
import {BootsInProgress} from './BootsInProgress.tsx';
import {useBootJournal} from './use-boot-journal.ts';
import '../../table/table.css';
import './boot.css';

export function BootPage() {
  const {explain = ''} = useSearch({from: '/shell/boot'});
  const state = useBootJournal();
  return (
    <div className="page">
      <PageHeader title="Boot" />
      <BootExplain asked={explain} />
      <BootsInProgress state={state} />
      <BootEntries state={state} />
      <BootProfiles />
    </div>
  );
}
