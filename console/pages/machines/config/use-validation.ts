import {
  BuildService,
  ValidateConfigResponse_Phase as Phase,
} from '@muster/proto/gen/muster/v1/builds_pb.ts';
import {createClient} from '@connectrpc/connect';
import {useTransport} from '@connectrpc/connect-query';
import {useEffect, useState} from 'react';
import type {Finding} from '../../../editor/editor-props.ts';
import {useDebounced} from '../../../hooks/use-debounced.ts';

/** Somebody who types is not interrupted with each letter. */
const settleMs = 500;

export type Validation = {
  /** "unevaluated": the syntax is right, and nobody could look further. */
  readonly state: 'none' | 'checking' | 'syntax' | 'evaluated' | 'unevaluated' | 'failed';
  readonly findings: readonly Finding[];
  readonly error?: unknown;
};

const nothing: Validation = {state: 'none', findings: []};

/**
 * Checks a NixOS module while it is written: its syntax within milliseconds, then a whole evaluation by a builder. A check that a newer text
 * has overtaken is called off.
 */
export function useValidation(machineId: string, text: string, isOn: boolean): Validation {
  const transport = useTransport();
  const settled = useDebounced(text, settleMs);
  const [validation, setValidation] = useState(nothing);
  useEffect(() => {
    if (!isOn || settled.trim() === '') {
      setValidation(nothing);
      return undefined;
    }
    const stopping = new AbortController();
    const {signal} = stopping;
    const check = async () => {
      setValidation(({findings}) => ({state: 'checking', findings}));
      const client = createClient(BuildService, transport);
      const answers = client.validateConfig({machineId, nixosConfig: settled}, {signal});
      for await (const {phase, diagnostics} of answers)
        setValidation({
          state: phase === Phase.EVALUATION ? 'evaluated' : 'syntax',
          findings: diagnostics,
        });
    };
    check().catch((error: unknown) => {
      if (signal.aborted) return;
      setValidation(({state}) => ({
        state: state === 'syntax' ? 'unevaluated' : 'failed',
        findings: [],
        error,
      }));
    });
    return () => stopping.abort();
  }, [transport, machineId, settled, isOn]);
  return validation;
}
