import {useQueryClient} from '@tanstack/react-query';
import {useEffect, useEffectEvent} from 'react';
import {type Answers, reloadAnswers} from './stale.ts';

/**
 * Loads answers again every so often, for what changes without an event: progress, children of an operation, when a service was last seen. Not
 * while the page is hidden, and a request that is under way is waited for.
 */
export function useReloadEvery(answers: readonly Answers[], periodMs: number, isOn = true): void {
  const queryClient = useQueryClient();
  const reload = useEffectEvent(() => {
    if (document.visibilityState === 'hidden') return;
    void reloadAnswers(queryClient, answers, {cancelRefetch: false});
  });
  useEffect(() => {
    if (!isOn) return undefined;
    const timer = setInterval(reload, periodMs);
    return () => clearInterval(timer);
  }, [periodMs, isOn]);
}
