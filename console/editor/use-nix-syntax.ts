import {BuildService} from '@muster/proto/gen/muster/v1/builds_pb.ts';
import {createClient} from '@connectrpc/connect';
import {useTransport} from '@connectrpc/connect-query';
import {keepPreviousData, useQuery} from '@tanstack/react-query';
import {useDebounced} from '../hooks/use-debounced.ts';
import type {Finding} from './editor-props.ts';

const settleMs = 300;
const none: readonly Finding[] = [];

/** What the server's parser says to a Nix text, a moment after it was typed: milliseconds, no builder is asked. */
export function useNixSyntax(text: string) {
  const transport = useTransport();
  const settled = useDebounced(text, settleMs);
  const {data, error, isPlaceholderData} = useQuery({
    queryKey: ['nix-syntax', settled],
    enabled: settled.trim() !== '',
    placeholderData: keepPreviousData,
    retry: false,
    gcTime: 10_000,
    queryFn: async ({signal}) => {
      const findings: Finding[] = [];
      const answers = createClient(BuildService, transport).validateConfig(
        {nixosConfig: settled, syntaxOnly: true},
        {signal},
      );
      for await (const {diagnostics} of answers) findings.push(...diagnostics);
      return findings;
    },
  });
  const isChecking = settled !== text || isPlaceholderData;
  return {
    findings: data && settled.trim() !== '' ? data : none,
    error,
    isChecking,
    isClean: !isChecking && !error && data?.length === 0,
  };
}
