import {CopyButton} from '../ui/CopyButton.tsx';
import {PageHeader} from '../ui/blocks.tsx';
import {EmptyState} from '../ui/states.tsx';

/** For a noun that has no page yet: says so, and what does it today. */
export const notHere = (title: string, command: string) =>
  function NotHerePage() {
    return (
      <div className="page">
        <PageHeader title={title} />
        <EmptyState icon="build" title={`${title}: not in the console yet`}>
          <p>The command line does it today:</p>
          <p>
            <code>{command}</code> <CopyButton text={command} what="the command" />
          </p>
        </EmptyState>
      </div>
    );
  };
