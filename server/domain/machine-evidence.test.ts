import test from 'ava';
import {bootsOf} from './machine-evidence.ts';

const items = [
  {kind: 'mac', value: '3c:ec:ef:00:00:01'},
  {kind: 'mac', value: '3c:ec:ef:00:00:02'},
  {kind: 'system_serial', value: 'ABC1234'},
];
const at = (minute: number) => new Date(Date.UTC(2026, 0, 1, 0, minute));
const said = {uuid: '', serial: '', ipAddress: '10.0.0.1', bootCount: 1, lastTime: at(9)};

test('boots are told by what the record is recognised by, in the form in which it is compared', t => {
  const boots = bootsOf(items, [
    {...said, macAddress: '3C-EC-EF-00-00-02', serial: 'abc1234 ', ipAddress: '10.0.0.2'},
    {...said, macAddress: '3c:ec:ef:00:00:02', serial: 'ABC1234', bootCount: 4, lastTime: at(7)},
    {...said, macAddress: '3c:ec:ef:00:00:01', serial: 'To be filled by O.E.M.', lastTime: at(5)},
    {...said, macAddress: '52:54:00:00:00:09', lastTime: at(3)},
  ]);
  t.deepEqual(boots, [
    {values: ['3c:ec:ef:00:00:02', 'ABC1234'], count: 5, lastTime: at(9), ipAddress: '10.0.0.2'},
    {values: ['3c:ec:ef:00:00:01'], count: 1, lastTime: at(5), ipAddress: '10.0.0.1'},
  ]);
});
