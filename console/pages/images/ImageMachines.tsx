import type {Image} from '@muster/proto/gen/muster/v1/images_pb.ts';
import {
  type ListMachinesResponse,
  type Machine,
  MachineService,
} from '@muster/proto/gen/muster/v1/machines_pb.ts';
import {useQueries} from '@tanstack/react-query';
import {createQueryOptions, useTransport} from '@connectrpc/connect-query';
import {useNavigate, useSearch} from '@tanstack/react-router';
import {useCallback, useMemo, useState} from 'react';
import {useOperateReason} from '../../api/caller.ts';
import {KeysetTable} from '../../table/KeysetTable.tsx';
import {useKeysetRows} from '../../table/use-keyset-rows.ts';
import {Card} from '../../ui/blocks.tsx';
import {ButtonLink} from '../../ui/Button.tsx';
import {Choices} from '../../ui/Choices.tsx';
import {EmptyState} from '../../ui/states.tsx';
import {OverrideDialog} from '../boot/OverrideDialog.tsx';
import {machineName} from '../machines/machine-name.ts';
import {imageMachineColumns} from './image-machine-columns.tsx';

const pageSize = 100;
const rowsOf = ({machines}: ListMachinesResponse): readonly Machine[] => machines;
const readMask = {
  paths: [
    'id',
    'hostname',
    'service_tag',
    'mac_address',
    'state',
    'presence',
    'desired_image_id',
    'booted_image_id',
    'last_good_image_id',
    'bad_image_ids',
    'last_seen_time',
  ],
};

const roles = ['desired', 'booted', 'good', 'bad'] as const;
type Role = (typeof roles)[number];
const words: Readonly<Record<Role, string>> = {
  desired: 'Desire it',
  booted: 'Run it',
  good: 'Fall back on it',
  bad: 'Failed with it',
};
const filterOf = (role: Role, id: string): string =>
  ({
    desired: `desired_image_id = ${id}`,
    booted: `booted_image_id = ${id}`,
    good: `last_good_image_id = ${id}`,
    bad: `bad_image_ids : ${id}`,
  })[role];
const nobody: Readonly<Record<Role, string>> = {
  desired: 'No machine shall run this image',
  booted: 'No machine runs this image',
  good: 'It is no machine’s last image that worked',
  bad: 'No machine failed with it',
};

/** Who has to do with an image, and the way back to it. */
export function ImageMachines({image}: {readonly image: Image}) {
  const search = useSearch({from: '/shell/images/$id'});
  const navigate = useNavigate({from: '/images/$id'});
  const role = roles.find(value => value === search.machines) ?? 'desired';
  const filter = filterOf(role, image.id);
  const counts = useCounts(image.id);
  const list = useKeysetRows(
    MachineService.method.listMachines,
    {pageSize, filter, readMask},
    rowsOf,
  );
  const [asked, setAsked] = useState<Machine>();
  const disabledReason = useOperateReason('any');
  const columns = useMemo(
    () => imageMachineColumns({imageId: image.id, disabledReason, onBoot: setAsked}),
    [image.id, disabledReason],
  );
  const open = useCallback(
    ({id}: Machine) => void navigate({to: '/machines/$id', params: {id}}),
    [navigate],
  );
  return (
    <Card
      flush
      title="Machines"
      actions={
        <ButtonLink kind="quiet" icon="machine" to="/machines" search={{filter}}>
          In the list of machines
        </ButtonLink>
      }
    >
      <div className="image-note">
        <Choices
          label="Machines that"
          items={roles.map((value, index) => ({value, label: words[value], count: counts[index]}))}
          value={role}
          onChange={machines =>
            void navigate({search: {machines}, replace: true, resetScroll: false})
          }
        />
      </div>
      <KeysetTable
        label={`Machines that ${words[role].toLowerCase()}`}
        attempt="list the machines"
        columns={columns}
        list={list}
        rowId={({id}) => id}
        onOpen={open}
        empty={<EmptyState icon="machine" title={nobody[role]} />}
      />
      {asked && (
        <OverrideDialog
          machineId={asked.id}
          name={machineName(asked)}
          imageId={image.id}
          onClose={() => setAsked(undefined)}
        />
      )}
    </Card>
  );
}

/** How many there are of each role. */
function useCounts(imageId: string): readonly (number | undefined)[] {
  const transport = useTransport();
  const queries = useQueries({
    queries: roles.map(role =>
      createQueryOptions(
        MachineService.method.listMachines,
        {
          pageSize: 1,
          filter: filterOf(role, imageId),
          countTotal: true,
          readMask: {paths: ['id']},
        },
        {transport},
      ),
    ),
  });
  return queries.map(({data}) => data && Number(data.totalSize));
}
