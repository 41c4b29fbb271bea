import test from 'ava';
import {compareShapes, compileTemplate} from './rest-template.ts';

const match = test.macro({
  title: (_title, template: string, path: string) => `${template} on ${path}`,
  exec(t, template: string, path: string, expected: readonly string[] | undefined) {
    t.deepEqual(compileTemplate(template).expression.exec(path)?.slice(1), expected);
  },
});

test(match, '/v1/machines', '/v1/machines', []);
test(match, '/v1/machines', '/v1/machines/', undefined);
test(match, '/v1/machines/{id}', '/v1/machines/52:54:00:12:34:56', ['52:54:00:12:34:56']);
test(match, '/v1/machines/{id}', '/v1/machines/a/b', undefined);
test(match, '/v1/machines/{id}/power', '/v1/machines/a/power', ['a']);
test(match, '/v1/machines/{id}:cancel', '/v1/machines/a:cancel', ['a']);
test(match, '/v1/{name=rooms/*/racks/*}', '/v1/rooms/1/racks/2', ['rooms/1/racks/2']);
test(match, '/v1/{path=files/**}', '/v1/files/a/b.c', ['files/a/b.c']);
test(match, '/v1/a.b', '/v1/axb', undefined);

test('what is no template does not start', t => {
  for (const template of ['', 'v1', '/v1/{', '/v1/{id', '/v1//a', '/v1/{a}{b=}'])
    t.throws(() => compileTemplate(template), undefined, template);
});

test('what is said exactly comes before what takes anything', t => {
  const shapes = ['/a/**', '/a/*', '/a/b', '/a/*:run', '/a/*/c'];
  t.deepEqual(shapes.sort(compareShapes), ['/a/*:run', '/a/b', '/a/*', '/a/*/c', '/a/**']);
});
