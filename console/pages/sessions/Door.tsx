import type {ReactNode} from 'react';
import {BrandMark} from '../../ui/BrandMark.tsx';
import './door.css';

/** Around the pages of those who are not inside yet. */
export function Door({
  title,
  version,
  children,
}: {
  readonly title: string;
  readonly version?: string | undefined;
  readonly children: ReactNode;
}) {
  return (
    <main className="door">
      <div className="door-brand">
        <BrandMark size={28} />
        <span>Muster</span>
      </div>
      <div className="door-box">
        <h1>{title}</h1>
        {children}
      </div>
      <footer>
        {globalThis.location.host}
        {version && ` · Muster ${version}`}
      </footer>
    </main>
  );
}
