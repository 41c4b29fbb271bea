import test from 'ava';
import {type BookChange, createBook, type Match} from './book.ts';
import {anAnswer, anImage} from './testing/edge.ts';

const uuid = '4c4c4544-0042-4310-8031-b1c04f313233';
const change = (parts: Partial<BookChange>): BookChange => ({
  reset: false,
  revision: 1n,
  answers: [],
  removedMachineIds: [],
  images: undefined,
  settings: undefined,
  ...parts,
});
const bookOf = (...answers: ReturnType<typeof anAnswer>[]) => {
  const book = createBook();
  book.apply(change({answers}));
  return book;
};
const idOf = (match: Match) => (match.kind === 'one' ? match.machine.answer.machineId : match.kind);
const keys = (parts: {macAddresses?: string[]; uuid?: string; serial?: string}) => ({
  macAddresses: parts.macAddresses ?? [],
  uuid: parts.uuid,
  serial: parts.serial,
});

test('two machines with one UUID are told apart by MAC', t => {
  const book = bookOf(
    anAnswer({machineId: 'a', macAddresses: ['52:54:00:00:00:0a'], uuid, serial: 'A-1'}),
    anAnswer({machineId: 'b', macAddresses: ['52:54:00:00:00:0b'], uuid, serial: 'B-1'}),
  );
  t.is(idOf(book.find(keys({macAddresses: ['52:54:00:00:00:0b'], uuid}))), 'b');
  t.is(idOf(book.find(keys({uuid, serial: 'A-1'}))), 'a');
  t.is(idOf(book.find(keys({uuid}))), 'ambiguous');
  t.is(idOf(book.findTag(uuid)), 'ambiguous');

  book.apply(change({removedMachineIds: ['a']}));
  t.is(idOf(book.find(keys({uuid}))), 'b');
});

test('two machines with one serial are told apart by UUID', t => {
  const book = bookOf(
    anAnswer({machineId: 'a', uuid, serial: 'same-1'}),
    anAnswer({machineId: 'b', serial: 'SAME-1'}),
  );
  t.is(idOf(book.find(keys({uuid, serial: 'same-1'}))), 'a');
  t.is(idOf(book.findTag('same-1')), 'ambiguous');
});

test('keys that name different machines are a conflict, decided by MAC', t => {
  const book = bookOf(
    anAnswer({machineId: 'a', macAddresses: ['52:54:00:00:00:0a']}),
    anAnswer({machineId: 'b', uuid}),
  );
  const match = book.find(keys({macAddresses: ['52:54:00:00:00:0a'], uuid}));
  t.like(match, {kind: 'one', conflict: true});
  t.is(idOf(match), 'a');
});

test('junk in an answer names nothing', t => {
  const book = bookOf(
    anAnswer({
      machineId: 'a',
      macAddresses: ['00:00:00:00:00:00', 'nonsense'],
      uuid: '00000000-0000-0000-0000-000000000000',
      serial: 'To be filled by O.E.M.',
    }),
  );
  t.is(idOf(book.findTag('To be filled by O.E.M.')), 'none');
  t.is(idOf(book.findTag('00000000-0000-0000-0000-000000000000')), 'none');
  t.is(idOf(book.find(keys({}))), 'none');
});

test('a machine that changes its keys is found under the new ones only', t => {
  const book = bookOf(anAnswer({machineId: 'a', serial: 'OLD-1'}));
  book.apply(change({answers: [anAnswer({machineId: 'a', serial: 'NEW-1'})]}));
  t.is(idOf(book.findTag('OLD-1')), 'none');
  t.is(idOf(book.findTag('new-1')), 'a');
  t.is(book.size, 1);
});

test('a reset forgets what it does not repeat', t => {
  const book = bookOf(anAnswer({machineId: 'a', serial: 'A-1'}));
  book.apply(
    change({reset: true, revision: 7n, answers: [anAnswer({machineId: 'b', serial: 'B-1'})]}),
  );
  t.is(idOf(book.findTag('A-1')), 'none');
  t.is(idOf(book.findTag('B-1')), 'b');
  t.is(book.revision, 7n);
});

test('an image that only an answer named is known until the next list', t => {
  const book = createBook();
  const images = {
    images: [anImage('1')],
    registrationFullImageId: '',
    registrationVirtualImageId: '',
  };
  book.apply(change({images}));
  book.addImage(anImage('3'));
  t.is(book.image(anImage('3').id)?.id, anImage('3').id);
  t.is(book.artifact('a'.repeat(64))?.imageIds.length, 2);
  book.apply(change({images}));
  t.is(book.image(anImage('3').id), undefined);
});
