/** What a browser says with a request that a page of the server makes. */
export const ownPage = {'sec-fetch-site': 'same-origin'} as const;

export type BrowserAnswer = {
  readonly status: number;
  /** Of an object; a list's rows are under their index. */
  readonly body: Record<string, unknown> & {readonly error?: {code: string; message: string}};
  /** As they came. */
  readonly setCookies: readonly string[];
};

/** As much of a browser as REST needs: it keeps the cookies that the server sets, and says where a request comes from. */
export function createBrowser(url: string) {
  const cookies = new Map<string, string>();

  return {
    cookies,
    /** As it stands in the header. */
    cookie: () => [...cookies].map(([name, value]) => `${name}=${value}`).join('; '),
    async call(
      verb: string,
      path: string,
      body?: object,
      from: Readonly<Record<string, string>> = ownPage,
    ): Promise<BrowserAnswer> {
      const response = await fetch(url + path, {
        method: verb,
        headers: {cookie: this.cookie(), ...from},
        ...(body ? {body: JSON.stringify(body)} : {}),
      });
      const setCookies = response.headers.getSetCookie();
      for (const line of setCookies) {
        const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(line) ?? [];
        if (/; Max-Age=0;/.test(line)) cookies.delete(name);
        else cookies.set(name, value);
      }
      const answer = (await response.json()) as BrowserAnswer['body'];
      return {status: response.status, body: answer, setCookies};
    },
  };
}

export type TestBrowser = ReturnType<typeof createBrowser>;
