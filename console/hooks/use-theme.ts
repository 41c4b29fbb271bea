import {useSyncExternalStore} from 'react';

export type Theme = 'auto' | 'light' | 'dark';
const storageKey = 'muster.theme';
const readers = new Set<() => void>();

const stored = (): Theme => {
  const value = localStorage.getItem(storageKey);
  return value === 'light' || value === 'dark' ? value : 'auto';
};

/** Before the first paint: called by main.tsx. */
export function applyTheme(): void {
  const theme = stored();
  if (theme === 'auto') delete document.documentElement.dataset['theme'];
  else document.documentElement.dataset['theme'] = theme;
}

export function setTheme(theme: Theme): void {
  if (theme === 'auto') localStorage.removeItem(storageKey);
  else localStorage.setItem(storageKey, theme);
  applyTheme();
  for (const reader of readers) reader();
}

export const useTheme = (): Theme =>
  useSyncExternalStore(reader => {
    readers.add(reader);
    return () => readers.delete(reader);
  }, stored);
