import {DomainError} from '../errors.ts';
import type {Sql} from '../store/db.ts';
import {
  findTemplate,
  holdTemplates,
  type MachineTemplate,
  type TemplateModule,
} from '../store/templates.ts';
import {fillParameters, problemsOfParameters} from './template-parameters.ts';

/** A machine's use of a template that cannot be: why, as a sentence after "Cannot …: ". */
export type TemplateProblem = {readonly name: string; readonly problem: string};

/**
 * In the transaction that gives a machine these templates: they are there, once each, and the parameters fit; nobody removes or changes one
 * before it is committed. Throws not_found or invalid_argument.
 */
export async function assertTemplatesFit(tx: Sql, uses: readonly MachineTemplate[]): Promise<void> {
  if (uses.length === 0) return;
  const names = uses.map(({name}) => name);
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice)
    throw new DomainError(
      'invalid_argument',
      `Cannot use template "${twice}" twice on one machine: give one set of parameters`,
    );
  await holdTemplates(tx, names);
  const problems: string[] = [];
  for (const use of uses) {
    const template = await findTemplate(tx, use.name, use.version);
    if (!template) throw notThere(use);
    const wrong = problemsOfParameters(template.parameters, use.parameters);
    if (wrong.length > 0) problems.push(`template "${use.name}": ${wrong.join('; ')}`);
  }
  if (problems.length > 0)
    throw new DomainError('invalid_argument', `Cannot use ${problems.join('. And ')}`);
}

/** The modules of these templates, versions and parameters settled, in order; or what is in the way. */
export async function resolveTemplates(
  sql: Sql,
  uses: readonly MachineTemplate[],
): Promise<{
  readonly modules: readonly TemplateModule[];
  readonly problems: readonly TemplateProblem[];
}> {
  const modules: TemplateModule[] = [];
  const problems: TemplateProblem[] = [];
  for (const {name, version, parameters} of uses) {
    const template = await findTemplate(sql, name, version);
    const wrong = template
      ? problemsOfParameters(template.parameters, parameters)
      : [`there is no ${version === 0 ? 'template of this name' : `version ${version} of it`}`];
    if (!template || wrong.length > 0) {
      problems.push({name, problem: wrong.join('; ')});
      continue;
    }
    const filled = fillParameters(template.parameters, parameters);
    const {nixosModule} = template;
    modules.push({name, version: template.version, nixosModule, parameters: filled});
  }
  return {modules, problems};
}

export function notThere({name, version}: Pick<MachineTemplate, 'name' | 'version'>): DomainError {
  const what = version === 0 ? `template "${name}"` : `version ${version} of template "${name}"`;
  return new DomainError(
    'not_found',
    `Cannot find ${what}: "muster templates list" shows what there is`,
  );
}
