import {Permission} from '@muster/proto/gen/muster/v1/options_pb.ts';
import {type Search, SearchService} from '@muster/proto/gen/muster/v1/searches_pb.ts';
import {createConnectQueryKey, useMutation, useQuery} from '@connectrpc/connect-query';
import {useQueryClient} from '@tanstack/react-query';
import {useState} from 'react';
import {useMay} from '../../api/caller.ts';
import {explainError} from '../../api/errors.ts';
import {Checkbox, TextField} from '../../forms/fields.tsx';
import {Form} from '../../forms/Form.tsx';
import {Button} from '../../ui/Button.tsx';
import {Dialog} from '../../ui/Dialog.tsx';
import {Menu, type MenuItem} from '../../ui/Menu.tsx';
import {ErrorState} from '../../ui/states.tsx';
import {showToast} from '../../ui/Toast.tsx';

type View = {readonly filter: string; readonly order: string};
type SavedViewsProps = {readonly view: View; readonly onView: (view: View) => void};

/** Filters that people come back to: their own, and everybody's. */
export function SavedViews({view, onView}: SavedViewsProps) {
  const {data} = useQuery(SearchService.method.listSearches, {});
  const [saving, setSaving] = useState(false);
  const refresh = useRefreshSearches();
  const save = useMutation(SearchService.method.saveSearch, {onSuccess: refresh});
  const remove = useMutation(SearchService.method.deleteSearch, {onSuccess: refresh});
  const searches = data?.searches ?? [];
  const current = searches.find(
    ({filter, orderBy}) => filter === view.filter && orderBy === view.order,
  );

  const drop = (search: Search) =>
    remove.mutate(
      {id: search.id},
      {
        onSuccess: () =>
          showToast(`Deleted the view “${search.name}”`, {undo: () => save.mutate({search})}),
        onError: error => showToast(explainError(error, 'delete it').message, {tone: 'bad'}),
      },
    );
  const items: readonly MenuItem[] = [
    ...searches.map(search => ({
      label: search.shared ? `${search.name} (everybody’s)` : search.name,
      icon: search.id === current?.id ? ('check' as const) : ('star' as const),
      onSelect: () => onView({filter: search.filter, order: search.orderBy}),
    })),
    {
      label: 'Save this view …',
      icon: 'plus',
      onSelect: () => setSaving(true),
      disabledReason: view.filter === '' && view.order === '' ? 'Filter or order first' : undefined,
    },
    ...(current
      ? [
          {
            label: `Delete “${current.name}”`,
            icon: 'trash' as const,
            danger: true,
            onSelect: () => drop(current),
          },
        ]
      : []),
  ];
  return (
    <>
      <Menu label={current?.name ?? 'Views'} icon="star" items={items} />
      {saving && <SaveDialog view={view} onClose={() => setSaving(false)} />}
    </>
  );
}

function SaveDialog({view, onClose}: {readonly view: View; readonly onClose: () => void}) {
  const mayShare = useMay(Permission.OPERATE);
  const refresh = useRefreshSearches();
  const [name, setName] = useState('');
  const [shared, setShared] = useState(false);
  const save = useMutation(SearchService.method.saveSearch, {
    onSuccess: () => {
      refresh();
      showToast(`Saved the view “${name}”`);
      onClose();
    },
  });
  const submit = () =>
    save.mutate({search: {name, filter: view.filter, orderBy: view.order, shared}});
  return (
    <Dialog title="Save this view" onClose={onClose}>
      <Form onSubmit={submit}>
        <TextField
          label="Name"
          required
          autoFocus
          maxLength={63}
          pattern="[a-zA-Z0-9]([a-zA-Z0-9_. \-]{0,61}[a-zA-Z0-9])?"
          hint="A view of yours with this name is replaced"
          value={name}
          onChange={event => setName(event.target.value)}
        />
        {view.filter && (
          <p>
            Filter <code>{view.filter}</code>
          </p>
        )}
        {view.order && (
          <p>
            Order <code>{view.order}</code>
          </p>
        )}
        <Checkbox
          label="Everybody sees it"
          disabled={!mayShare}
          hint="Shared views take the role operator"
          checked={shared}
          onChange={event => setShared(event.target.checked)}
        />
        <ErrorState error={save.error} attempt="save the view" />
        <div className="form-actions">
          <Button onClick={onClose}>Cancel</Button>
          <Button type="submit" kind="primary" busy={save.isPending}>
            Save
          </Button>
        </div>
      </Form>
    </Dialog>
  );
}

/** Views have no events. */
function useRefreshSearches(): () => void {
  const queryClient = useQueryClient();
  return () =>
    void queryClient.invalidateQueries({
      queryKey: createConnectQueryKey({schema: SearchService, cardinality: undefined}),
    });
}
