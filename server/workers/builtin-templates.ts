import {readdir, readFile} from 'node:fs/promises';
import {basename, join} from 'node:path';
import {fromJsonString} from '@bufbuild/protobuf';
import {TemplateSchema} from '@muster/proto/gen/muster/v1/templates_pb.ts';
import type {Logger} from '@muster/runtime/log.ts';
import type {Templates} from '../domain/templates.ts';
import {fromTemplateMessage} from '../rpc/template-messages.ts';

const fileBytesMax = 1024 * 1024;

/**
 * Brings the templates of this release into the database: `NAME.json` (muster.v1.Template without its module) and `NAME.nix` for each. One
 * that cannot be read is told in the log and left out: the server starts without it.
 */
export async function loadBuiltinTemplates({
  folder,
  templates,
  log,
}: {
  readonly folder: string;
  readonly templates: Pick<Templates, 'loadBuiltin'>;
  readonly log: Logger;
}): Promise<void> {
  for (const name of await listNames(folder, log)) {
    try {
      const outcome = await templates.loadBuiltin(await readTemplate(folder, name));
      if (outcome === 'name_taken')
        log.warn({template: name}, 'a template of this name exists: the one of Muster is left out');
      else log.debug({template: name, outcome}, 'template of Muster');
    } catch (error) {
      log.error({err: error, template: name, folder}, 'cannot load a template of Muster');
    }
  }
}

async function listNames(folder: string, log: Logger): Promise<readonly string[]> {
  try {
    const files = await readdir(folder);
    return files.filter(file => file.endsWith('.json')).map(file => basename(file, '.json'));
  } catch (error) {
    log.warn({err: error, folder}, 'no templates come with Muster: the folder cannot be read');
    return [];
  }
}

async function readTemplate(folder: string, name: string) {
  const [json, nixosModule] = await Promise.all(
    ['json', 'nix'].map(async extension => {
      const text = await readFile(join(folder, `${name}.${extension}`), 'utf8');
      if (Buffer.byteLength(text) > fileBytesMax)
        throw new Error(
          `Cannot use "${name}.${extension}": it is larger than ${fileBytesMax} bytes`,
        );
      return text;
    }),
  );
  const template = fromJsonString(TemplateSchema, json ?? '');
  if (template.name !== name)
    throw new Error(`Cannot use "${name}.json": it names the template "${template.name}"`);
  return fromTemplateMessage({...template, nixosModule: nixosModule ?? ''});
}
