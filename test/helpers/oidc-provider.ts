import {once} from 'node:events';
import {createServer} from 'node:http';
import type {AddressInfo} from 'node:net';
import {Provider} from 'oidc-provider';

const hopsMax = 20;

export type Person = {readonly sub: string} & Readonly<Record<string, unknown>>;

/**
 * A real OpenID provider (npm oidc-provider) on the loopback, with one client that must use PKCE and come back to the loopback. `people` may be
 * changed while it runs.
 */
export async function startOidcProvider(people: Map<string, Person>) {
  const server = createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const provider = new Provider(issuer, {
    clients: [
      {
        client_id: 'muster',
        client_secret: 'a client secret',
        token_endpoint_auth_method: 'client_secret_post',
        application_type: 'native',
        redirect_uris: [
          'http://127.0.0.1/callback',
          'http://127.0.0.1/oidc/callback',
          'https://console.example.net/callback',
        ],
        response_types: ['code'],
        grant_types: ['authorization_code'],
      },
    ],
    pkce: {required: () => true},
    scopes: ['openid', 'profile', 'email', 'groups'],
    claims: {
      openid: ['sub'],
      profile: ['preferred_username'],
      email: ['email'],
      groups: ['groups'],
    },
    cookies: {keys: ['a key of the test']},
    findAccount: (_context: unknown, id: string) => {
      const claims = people.get(id);
      return claims && {accountId: id, claims: () => claims};
    },
  });
  server.on('request', provider.callback());

  return {
    issuer,
    /** What a person does in a browser: signs in as `login`, agrees, and is sent back. Gives the address they are sent to. */
    async visit(authorizationUrl: string, login: string): Promise<string> {
      const browser = createBrowser();
      let page = await browser.follow(authorizationUrl, issuer);
      while ('form' in page) page = await browser.submit(page.form, login, issuer);
      return page.url;
    },
    async [Symbol.asyncDispose]() {
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
  };
}

type Page = {readonly url: string} | {readonly form: {readonly action: string; prompt: string}};

/** As little of a browser as the provider's own pages need: cookies, redirects, one form. */
function createBrowser() {
  const cookies = new Map<string, string>();

  async function request(url: string, init: RequestInit = {}): Promise<Response> {
    const cookie = [...cookies].map(([name, value]) => `${name}=${value}`).join('; ');
    const response = await fetch(url, {
      ...init,
      redirect: 'manual',
      headers: {...(init.headers as Record<string, string>), cookie},
    });
    for (const line of response.headers.getSetCookie()) {
      const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(line) ?? [];
      if (value === '') cookies.delete(name);
      else cookies.set(name, value);
    }
    return response;
  }

  async function settle(response: Response, from: string, origin: string): Promise<Page> {
    let current = response;
    let url = from;
    for (let hop = 0; hop < hopsMax; hop += 1) {
      const location = current.headers.get('location');
      if (!location) {
        const html = await current.text();
        const action = /<form[^>]* action="([^"]+)"/.exec(html)?.[1];
        const prompt = /name="prompt" value="([^"]+)"/.exec(html)?.[1];
        if (!action || !prompt) throw new Error(`The provider says ${current.status}: ${html}`);
        return {form: {action: new URL(action, url).href, prompt}};
      }
      url = new URL(location, url).href;
      if (!url.startsWith(origin)) return {url};
      current = await request(url);
    }
    throw new Error('The provider redirects without end');
  }

  return {
    follow: async (url: string, origin: string) => settle(await request(url), url, origin),
    submit: async (
      {action, prompt}: {readonly action: string; readonly prompt: string},
      login: string,
      origin: string,
    ) => {
      const body = new URLSearchParams({prompt, login, password: 'any'});
      return settle(await request(action, {method: 'POST', body}), action, origin);
    },
  };
}
