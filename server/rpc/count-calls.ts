import {Code, ConnectError, type Interceptor} from '@connectrpc/connect';
import type {Logger} from '@muster/runtime/log.ts';
import {Counter, type Registry} from 'prom-client';
import {callerKey} from './caller.ts';

/** Counts calls by method and code, and logs those that were refused. Outermost: it sees what the caller sees. */
export function countCalls(registry: Registry, log: Logger): Interceptor {
  const calls = new Counter({
    name: 'muster_rpc_calls_total',
    help: 'Calls by method and code ("ok" or a code of gRPC)',
    labelNames: ['method', 'code'],
    registers: [registry],
  });

  return next => async request => {
    const method = `${request.service.name}.${request.method.name}`;
    const refused = (error: unknown) => {
      const {code, rawMessage} = ConnectError.from(error);
      calls.inc({method, code: Code[code]});
      const {name, address} = request.contextValues.get(callerKey);
      if (code !== Code.Canceled)
        log.info(
          {method, status: Code[code], caller: name, address, reason: rawMessage},
          'call refused',
        );
    };
    async function* counted<T>(messages: AsyncIterable<T>) {
      try {
        yield* messages;
        calls.inc({method, code: 'ok'});
      } catch (error) {
        refused(error);
        throw error;
      }
    }

    try {
      const response = await next(request);
      if (response.stream) return {...response, message: counted(response.message)};
      calls.inc({method, code: 'ok'});
      return response;
    } catch (error) {
      refused(error);
      throw error;
    }
  };
}
