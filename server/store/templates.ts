import type {Sql} from './db.ts';
import {machineInScope} from './scope.ts';

export type ParameterType = 'string' | 'integer' | 'boolean' | 'string_list';

/** JSON, as parameters carry it. */
export type ParameterValue = string | number | boolean | readonly string[];

export type TemplateParameter = {
  readonly name: string;
  readonly type: ParameterType;
  readonly description: string;
  /** Null: a machine has to give a value. */
  readonly defaultValue: ParameterValue | null;
  readonly allowedValues: readonly string[];
  readonly pattern: string;
  readonly minimum: number | null;
  readonly maximum: number | null;
};

/** What a version is made of. */
export type TemplateContent = {
  readonly description: string;
  readonly nixosModule: string;
  readonly parameters: readonly TemplateParameter[];
};

export type Template = TemplateContent & {
  readonly name: string;
  readonly version: number;
  readonly builtin: boolean;
  readonly createTime: Date;
};

/** A machine's use of a template; version 0 follows the newest. */
export type MachineTemplate = {
  readonly name: string;
  readonly version: number;
  /** As given; checked against the template when it was. */
  readonly parameters: Readonly<Record<string, unknown>>;
};

/** A template as a build uses it. */
export type TemplateModule = {
  readonly name: string;
  readonly version: number;
  readonly nixosModule: string;
  readonly parameters: Readonly<Record<string, ParameterValue>>;
};

/** A machine that uses a template, with as much of it as is needed to name and judge it. */
export type TemplateUser = {
  readonly id: string;
  readonly hostname: string;
  readonly serviceTag: string;
  readonly use: MachineTemplate;
};

/** False when the name is taken. */
export async function insertTemplate(
  sql: Sql,
  template: Pick<Template, 'name' | 'builtin' | 'createTime'>,
): Promise<boolean> {
  const {name, builtin, createTime} = template;
  const result = await sql`
    insert into templates ${sql({name, builtin, createTime})} on conflict do nothing
  `;
  return result.count === 1;
}

export async function insertTemplateVersion(
  sql: Sql,
  template: Omit<Template, 'builtin'>,
): Promise<void> {
  const {name, version, description, nixosModule, parameters, createTime} = template;
  await sql`
    insert into template_versions (name, version, description, nixos_module, parameters, create_time)
    values (
      ${name}, ${version}, ${description}, ${nixosModule}, ${JSON.stringify(parameters)}::text::jsonb,
      ${createTime}
    )
  `;
}

/** For its change or removal: waits for machines that begin to use it, and they for us. False when there is none. */
export async function lockTemplate(sql: Sql, name: string): Promise<boolean> {
  const rows = await sql`select 1 from templates where name = ${name} for update`;
  return rows.length > 0;
}

/** They stay what they are until the transaction ends. */
export async function holdTemplates(sql: Sql, names: readonly string[]): Promise<void> {
  await sql`select 1 from templates where name = any(${names}::text[]) order by name for share`;
}

/** Version 0 is the newest one. */
export async function findTemplate(
  sql: Sql,
  name: string,
  version: number,
): Promise<Template | undefined> {
  const [row] = await sql<Template[]>`
    select template_versions.*, builtin from template_versions join templates using (name)
    where name = ${name} and ${version === 0 ? sql`true` : sql`version = ${version}`}
    order by version desc limit 1
  `;
  return row;
}

/** The newest version of each, by name, after the one given. */
export async function listTemplates(
  sql: Sql,
  {after, limit}: {readonly after: string; readonly limit: number},
): Promise<readonly Template[]> {
  return sql<Template[]>`
    select newest.*, builtin from (
      select name, builtin from templates where name > ${after} order by name limit ${limit}
    ) as page, lateral (
      select * from template_versions where name = page.name order by version desc limit 1
    ) as newest
    order by newest.name
  `;
}

export async function deleteTemplate(sql: Sql, name: string): Promise<void> {
  await sql`delete from templates where name = ${name}`;
}

/** Groups and rules that give it to machines, as "group NAME" and "rule NAME"; at most `limit`. */
export async function listTemplateGivers(
  sql: Sql,
  name: string,
  limit: number,
): Promise<readonly string[]> {
  const wanted = JSON.stringify([{name}]);
  const rows = await sql<{giver: string}[]>`
    select 'group ' || name as giver from groups where templates @> ${wanted}::text::jsonb
    union all select 'rule ' || name from rules where templates @> ${wanted}::text::jsonb
    order by giver limit ${limit}
  `;
  return rows.map(({giver}) => giver);
}

/** Machines that use it, by id, after the one given; with `follows` only those without a version of their own. */
export async function listTemplateUsers(
  sql: Sql,
  of: {
    readonly name: string;
    readonly follows: boolean;
    readonly after: string | undefined;
    readonly limit: number;
  },
): Promise<readonly TemplateUser[]> {
  const wanted = JSON.stringify([{name: of.name, ...(of.follows ? {version: 0} : {})}]);
  return sql<TemplateUser[]>`
    select id, hostname, service_tag, use from machines, lateral (
      select use from jsonb_array_elements(templates) as use where use->>'name' = ${of.name} limit 1
    ) as used
    where templates @> ${wanted}::text::jsonb and ${machineInScope(sql)}
      and ${of.after === undefined ? sql`true` : sql`id > ${of.after}`}
    order by id limit ${of.limit}
  `;
}
