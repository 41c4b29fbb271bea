import {useSyncExternalStore} from 'react';

export type Density = 'compact' | 'roomy';
const storageKey = 'muster.density';
const readers = new Set<() => void>();

const stored = (): Density => (localStorage.getItem(storageKey) === 'roomy' ? 'roomy' : 'compact');

/** Before the first paint: called by main.tsx. theme.css gives text and rows of `data-density` more room. */
export function applyDensity(): void {
  if (stored() === 'compact') delete document.documentElement.dataset['density'];
  else document.documentElement.dataset['density'] = stored();
}

export function setDensity(density: Density): void {
  if (density === 'compact') localStorage.removeItem(storageKey);
  else localStorage.setItem(storageKey, density);
  applyDensity();
  for (const reader of readers) reader();
}

export const useDensity = (): Density =>
  useSyncExternalStore(reader => {
    readers.add(reader);
    return () => readers.delete(reader);
  }, stored);
