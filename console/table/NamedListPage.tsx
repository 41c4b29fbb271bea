import {Permission} from '@muster/proto/gen/muster/v1/options_pb.ts';
import {type ReactNode, useState} from 'react';
import {useReason} from '../api/use-reason.ts';
import {Button} from '../ui/Button.tsx';
import {PageHeader} from '../ui/blocks.tsx';
import type {TableColumn} from './columns.ts';
import {KeysetTable} from './KeysetTable.tsx';
import type {KeysetRows} from './use-keyset-rows.ts';

type Named = {readonly id: string; readonly name: string};

type NamedListPageProps<Row extends Named> = {
  /** "Webhooks" */
  readonly title: string;
  /** "webhook" */
  readonly noun: string;
  readonly columns: readonly TableColumn<Row>[];
  readonly list: Omit<KeysetRows<Row, unknown>, 'first' | 'patch'>;
  readonly onOpen: (name: string) => void;
  readonly empty: ReactNode;
  /** The form of a new one. */
  readonly form: (onClose: () => void) => ReactNode;
};

/** A page of things that administrators make and that are opened by name. */
export function NamedListPage<Row extends Named>(props: NamedListPageProps<Row>) {
  const {title, noun, columns, list, onOpen, empty, form} = props;
  const [creating, setCreating] = useState(false);
  const reason = useReason(Permission.ADMINISTER);
  return (
    <div className="page fill">
      <PageHeader
        title={title}
        actions={
          <Button
            kind="primary"
            icon="plus"
            disabledReason={reason}
            onClick={() => setCreating(true)}
          >
            New {noun}
          </Button>
        }
      />
      <KeysetTable
        label={title}
        columns={columns}
        list={list}
        attempt={`list the ${noun}s`}
        rowId={({id}) => id}
        onOpen={({name}) => onOpen(name)}
        empty={empty}
      />
      {creating && form(() => setCreating(false))}
    </div>
  );
}
