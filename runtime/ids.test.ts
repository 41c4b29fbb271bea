import test from 'ava';
import {uuidv7} from './ids.ts';

test('ids are UUIDs of version 7 that sort by time', t => {
  const id = uuidv7(0x0123_4567_89ab, new Uint8Array(10).fill(0xff));
  t.is(id, '01234567-89ab-7fff-bfff-ffffffffffff');
  t.true(uuidv7(1) < uuidv7(2));
  t.regex(uuidv7(), /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
});
