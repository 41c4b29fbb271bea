declare module 'tftp' {
  import type {Readable} from 'node:stream';
  export function createClient(options: {host: string; port: number}): {
    createGetStream(name: string): Readable;
  };
}
