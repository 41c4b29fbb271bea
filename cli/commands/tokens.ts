import {Permission, PermissionSchema} from '@muster/proto/gen/muster/v1/options_pb.ts';
import {
  type ApiToken,
  ApiTokenSchema,
  CreateApiTokenResponseSchema,
} from '@muster/proto/gen/muster/v1/tokens_pb.ts';
import {timestampDate} from '@bufbuild/protobuf/wkt';
import type {Command} from 'commander';
import {collectPages, contextOf, parseLimit} from '../context.ts';
import {CommandError, exitStatus} from '../exit-status.ts';
import {age, clock, type Column, nameOf} from '../output.ts';

const columns: readonly Column<ApiToken>[] = [
  {title: 'ID', value: token => token.id},
  {title: 'USER', value: token => token.username},
  {title: 'NAME', value: token => token.name},
  {title: 'MAY', value: token => nameOf(PermissionSchema, token.permission).toLowerCase()},
  {title: 'STATE', value: stateOf},
  {title: 'UNTIL', value: token => clock(token.expireTime)},
  {title: 'USED', value: token => age(token.lastUseTime)},
  {title: 'FROM', value: token => token.lastUseAddress},
  {title: 'WORKSPACE', value: token => token.workspaceId},
];

/** `muster tokens …` */
export function addTokenCommands(program: Command): void {
  const tokens = program.command('tokens').alias('token').description('API tokens, for programs');
  tokens
    .command('list')
    .description('your own API tokens')
    .option('--user <user>', "somebody's, by user name or id; - is everybody's")
    .option('--limit <n>', 'at most this many', parseLimit, 1000)
    .addHelpText('after', '\nExample: muster tokens list --user ci')
    .action(list);
  tokens
    .command('create <name>')
    .description('a new one; its secret is shown once')
    .option('--may <permission>', 'view, develop, operate or administer', 'view')
    .option('--days <n>', 'how long it lives', parseDays, 90)
    .option('--user <user>', 'whose, by user name or id; yours by default')
    .option('--workspace <workspace>', 'worth something in this workspace only')
    .addHelpText('after', '\nExample: muster tokens create ci --may operate --days 30')
    .action(create);
  tokens
    .command('revoke <id>')
    .description('make an API token worthless')
    .addHelpText('after', '\nExample: muster tokens revoke 0198c0de-0000-7000-8000-000000000001')
    .action(revoke);
}

async function list(
  options: {readonly user?: string; readonly limit: number},
  command: Command,
): Promise<void> {
  const context = contextOf(command);
  const userId = options.user ?? '';
  const tokens = await collectPages(context, options.limit, async page => {
    const answer = await context.clients.tokens.listApiTokens({userId, ...page});
    return {rows: answer.tokens, nextPageToken: answer.nextPageToken};
  });
  context.out.list(ApiTokenSchema, columns, tokens);
}

const permissions: ReadonlyMap<string, Permission> = new Map([
  ['view', Permission.VIEW],
  ['develop', Permission.DEVELOP],
  ['operate', Permission.OPERATE],
  ['administer', Permission.ADMINISTER],
]);

async function create(
  name: string,
  options: {
    readonly may: string;
    readonly days: number;
    readonly user?: string;
    readonly workspace?: string;
  },
  command: Command,
): Promise<void> {
  const {clients, out} = contextOf(command);
  const permission = permissions.get(options.may);
  if (permission === undefined)
    throw new CommandError(
      `Cannot let a token "${options.may}": say ${[...permissions.keys()].join(', ')}`,
      exitStatus.usage,
    );
  const answer = await clients.tokens.createApiToken({
    name,
    permission,
    lifetimeSeconds: options.days * 86_400,
    userId: options.user ?? '',
    workspaceId: options.workspace ?? '',
  });
  if (out.json) return out.document(CreateApiTokenResponseSchema, answer);
  out.line(`API token "${name}", until ${clock(answer.apiToken?.expireTime)}, shown once:`);
  out.line(`\n  ${answer.token}\n`);
}

async function revoke(id: string, _options: object, command: Command): Promise<void> {
  const {clients, out} = contextOf(command);
  await clients.tokens.revokeApiToken({id});
  out.line(out.json ? '{}' : `API token ${id} is revoked`);
}

function parseDays(text: string): number {
  const days = Number(text);
  if (!Number.isInteger(days) || days < 1 || days > 366)
    throw new CommandError(
      `Cannot use --days "${text}": say a number from 1 to 366`,
      exitStatus.usage,
    );
  return days;
}

function stateOf({revoked, expireTime}: ApiToken): string {
  if (revoked) return 'revoked';
  return expireTime && timestampDate(expireTime).getTime() <= Date.now() ? 'expired' : 'active';
}
