import type {DescService} from '@bufbuild/protobuf';
import {useQueryClient} from '@tanstack/react-query';
import {useEffect} from 'react';
import {reloadServices} from './use-action.ts';

/** For what changes without an event (when a service was last seen, what became of a delivery), while it is on the screen. */
export function useReloadEvery(service: DescService, periodMs: number): void {
  const queryClient = useQueryClient();
  useEffect(() => {
    const timer = setInterval(() => {
      if (document.visibilityState !== 'hidden') void reloadServices(queryClient, [service]);
    }, periodMs);
    return () => clearInterval(timer);
  }, [queryClient, service, periodMs]);
}
