declare module 'oidc-provider' {
  import type {IncomingMessage, ServerResponse} from 'node:http';
  /** Of what the library offers, what the helper uses. */
  export class Provider {
    constructor(issuer: string, configuration: object);
    callback(): (request: IncomingMessage, response: ServerResponse) => void;
  }
}
