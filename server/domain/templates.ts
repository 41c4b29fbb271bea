import {createHash} from 'node:crypto';
import {DomainError} from '../errors.ts';
import type {Sql} from '../store/db.ts';
import {appendEvent} from '../store/events.ts';
import * as store from '../store/templates.ts';
import type {Template, TemplateContent, TemplateUser} from '../store/templates.ts';
import {nameOf} from './build-rules.ts';
import type {Deps} from './deps.ts';
import {badPageToken, parsePageToken} from './ids.ts';
import {checkNixText, describeDiagnostic} from './syntax-check.ts';
import {problemsOfDeclarations, problemsOfParameters} from './template-parameters.ts';
import {notThere} from './template-use.ts';

const pageSizeDefault = 50;
const versionsMax = 10_000;
const usersPerReadMax = 1000;
const usersListedMax = 1000;
const usersNamedMax = 5;

export type NamedContent = TemplateContent & {readonly name: string};

export type TemplateMachine = {
  readonly machineId: string;
  readonly machineName: string;
  /** That its next build takes. */
  readonly version: number;
  readonly follows: boolean;
};

export type BuiltinOutcome = 'added' | 'updated' | 'unchanged' | 'name_taken';

export type Templates = ReturnType<typeof createTemplates>;

/** NixOS modules that machines share. Versions are never changed; a machine names one, or follows the newest. */
export function createTemplates({sql, now, newId}: Deps) {
  async function append(
    tx: Sql,
    type: string,
    {actor, name, data = {}}: {actor: string; name: string; data?: Record<string, unknown>},
  ): Promise<void> {
    const subject = `templates/${name}`;
    await appendEvent(tx, {id: newId(), time: now(), type, actor, subject, data: {name, ...data}});
  }

  /** Undefined when the name is taken. */
  async function insert(
    tx: Sql,
    actor: string,
    {builtin, ...content}: NamedContent & {readonly builtin: boolean},
  ): Promise<Template | undefined> {
    const template = {...content, builtin, version: 1, createTime: now()};
    if (!(await store.insertTemplate(tx, template))) return undefined;
    await store.insertTemplateVersion(tx, template);
    await append(tx, 'template.created', {actor, name: content.name, data: {version: 1}});
    return template;
  }

  /** The template's row is locked. */
  async function addVersion(
    tx: Sql,
    actor: string,
    {newest, content}: {readonly newest: Template; readonly content: NamedContent},
  ): Promise<Template> {
    if (newest.version >= versionsMax)
      throw new DomainError(
        'resource_exhausted',
        `Cannot update template "${newest.name}": it has ${versionsMax} versions; create another one`,
      );
    const template = {...newest, ...content, version: newest.version + 1, createTime: now()};
    await store.insertTemplateVersion(tx, template);
    const {name, version} = template;
    await append(tx, 'template.updated', {actor, name, data: {version}});
    return template;
  }

  /** Throws not_found. */
  async function lockNewest(tx: Sql, name: string): Promise<Template> {
    const there = await store.lockTemplate(tx, name);
    const newest = there ? await store.findTemplate(tx, name, 0) : undefined;
    if (!newest) throw notThere({name, version: 0});
    return newest;
  }

  return {
    /** By name; the page token is the last name of the page before. */
    async list({pageSize, pageToken}: {readonly pageSize: number; readonly pageToken: string}) {
      if (!/^[a-z0-9-]*$/.test(pageToken)) throw badPageToken(pageToken);
      const limit = pageSize || pageSizeDefault;
      const rows = await store.listTemplates(sql, {after: pageToken, limit: limit + 1});
      const templates = rows.slice(0, limit);
      return {templates, nextPageToken: rows.length > limit ? (templates.at(-1)?.name ?? '') : ''};
    },

    /** Version 0 is the newest. Throws not_found. */
    async get(name: string, version: number): Promise<Template> {
      const template = await store.findTemplate(sql, name, version);
      if (!template) throw notThere({name, version});
      return template;
    },

    async create(actor: string, content: NamedContent): Promise<Template> {
      assertSound(content);
      const created = await sql.begin(tx => insert(tx, actor, {...content, builtin: false}));
      if (created) return created;
      throw new DomainError(
        'already_exists',
        `Cannot create template "${content.name}": the name is taken; update it, or choose another`,
      );
    },

    /**
     * A version more, unless nothing differs. Throws failed_precondition when a machine that follows would not fit it; `dryRun` changes
     * nothing, and refuses as well.
     */
    async update(
      actor: string,
      content: NamedContent,
      {dryRun}: {readonly dryRun: boolean},
    ): Promise<{readonly template: Template; readonly machines: readonly TemplateMachine[]}> {
      assertSound(content);
      return sql.begin(async tx => {
        const newest = await lockNewest(tx, content.name);
        if (newest.builtin) throw builtinRefusal('update', content.name);
        if (isSame(newest, content)) return {template: newest, machines: []};
        const {users, misfits} = await judgeFollowers(tx, content);
        if (misfits.length > 0) throw misfitRefusal(content.name, misfits);
        const version = newest.version + 1;
        const template = dryRun
          ? {...newest, ...content, version}
          : await addVersion(tx, actor, {newest, content});
        return {template, machines: users.map(user => toTemplateMachine(user, version))};
      });
    },

    async delete(actor: string, name: string): Promise<void> {
      await sql.begin(async tx => {
        const {builtin, version} = await lockNewest(tx, name);
        if (builtin) throw builtinRefusal('delete', name);
        const page = {name, follows: false, after: undefined, limit: usersNamedMax + 1};
        const users = await store.listTemplateUsers(tx, page);
        if (users.length > 0)
          throw new DomainError(
            'failed_precondition',
            `Cannot delete template "${name}": ${listNames(users)} use it; take it away from them first`,
          );
        const givers = await store.listTemplateGivers(tx, name, usersNamedMax);
        if (givers.length > 0)
          throw new DomainError(
            'failed_precondition',
            `Cannot delete template "${name}": ${givers.join(', ')} give it to machines; take it away from them first`,
          );
        await store.deleteTemplate(tx, name);
        await append(tx, 'template.deleted', {actor, name, data: {version}});
      });
    },

    /** By machine id; the page token is the last one of the page before. Throws not_found. */
    async listMachines(
      name: string,
      page: {readonly pageSize: number; readonly pageToken: string},
    ) {
      const newest = await store.findTemplate(sql, name, 0);
      if (!newest) throw notThere({name, version: 0});
      const limit = page.pageSize || pageSizeDefault;
      const after = parsePageToken(page.pageToken);
      const of = {name, follows: false, after, limit: limit + 1};
      const users = await store.listTemplateUsers(sql, of);
      const machines = users.slice(0, limit).map(user => toTemplateMachine(user, newest.version));
      const nextPageToken = users.length > limit ? (machines.at(-1)?.machineId ?? '') : '';
      return {machines, nextPageToken};
    },

    /**
     * At the start of a server, with what its release brings. Of several servers at once one adds it. An operator's template of this name stays
     * what it is. Throws invalid_argument.
     */
    async loadBuiltin(content: NamedContent): Promise<BuiltinOutcome> {
      assertSound(content);
      return sql.begin(async tx => {
        if (await insert(tx, 'system', {...content, builtin: true})) return 'added';
        const newest = await lockNewest(tx, content.name);
        if (!newest.builtin) return 'name_taken';
        if (isSame(newest, content)) return 'unchanged';
        await addVersion(tx, 'system', {newest, content});
        return 'updated';
      });
    },
  };
}

/** Every machine that follows the newest version, the first thousand by name, and those that the new content would not fit. */
async function judgeFollowers(tx: Sql, {name, parameters}: NamedContent) {
  const users: TemplateUser[] = [];
  const misfits: {readonly user: TemplateUser; readonly problem: string}[] = [];
  for (let after: string | undefined; ;) {
    const page = {name, follows: true, after, limit: usersPerReadMax};
    const found = await store.listTemplateUsers(tx, page);
    for (const user of found) {
      const [problem] = problemsOfParameters(parameters, user.use.parameters);
      if (problem) misfits.push({user, problem});
      if (users.length < usersListedMax) users.push(user);
    }
    if (found.length < usersPerReadMax) return {users, misfits};
    after = found.at(-1)?.id;
  }
}

function assertSound({name, nixosModule, parameters}: NamedContent): void {
  const problems = [
    ...problemsOfDeclarations(parameters),
    ...checkNixText(nixosModule, `templates/${name}`).map(describeDiagnostic),
  ];
  if (problems.length > 0)
    throw new DomainError(
      'invalid_argument',
      `Cannot keep template "${name}": ${problems.join('; ')}`,
    );
}

const isSame = (a: TemplateContent, b: TemplateContent): boolean => digest(a) === digest(b);

/** The order of keys is the database's own in what was stored, so they are put in one order. */
function digest({description, nixosModule, parameters}: TemplateContent): string {
  const declared = parameters.map(parameter =>
    Object.entries(parameter).toSorted(([a], [b]) => (a < b ? -1 : 1)),
  );
  const text = JSON.stringify([description, nixosModule, declared]);
  return createHash('sha256').update(text).digest('hex');
}

function toTemplateMachine(user: TemplateUser, newestVersion: number): TemplateMachine {
  const {version} = user.use;
  return {
    machineId: user.id,
    machineName: nameOf(user),
    version: version === 0 ? newestVersion : version,
    follows: version === 0,
  };
}

function builtinRefusal(verb: string, name: string): DomainError {
  return new DomainError(
    'failed_precondition',
    `Cannot ${verb} template "${name}": it comes with Muster; create one under another name instead`,
  );
}

function misfitRefusal(
  name: string,
  misfits: readonly {readonly user: TemplateUser; readonly problem: string}[],
): DomainError {
  const named = misfits.slice(0, usersNamedMax);
  const reasons = named.map(({user, problem}) => `machine "${nameOf(user)}": ${problem}`);
  const more = misfits.length > named.length ? `; and ${misfits.length - named.length} more` : '';
  return new DomainError(
    'failed_precondition',
    `Cannot update template "${name}": parameters of machines that follow it would not fit (${reasons.join('; ')}${more}); name a version on them, or give new parameters defaults`,
  );
}

function listNames(users: readonly TemplateUser[]): string {
  const names = users.slice(0, usersNamedMax).map(user => `"${nameOf(user)}"`);
  const more = users.length > usersNamedMax ? ' and others' : '';
  return `machines ${names.join(', ')}${more}`;
}
