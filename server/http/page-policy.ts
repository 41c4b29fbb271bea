import {createHash} from 'node:crypto';

const digest = (text: string) => `'sha256-${createHash('sha256').update(text).digest('base64')}'`;

/** A content security policy: only the page's own script and style run, and they talk to this server only. */
export const pagePolicy = ({script, style}: {script: string; style: string}): string =>
  [
    "default-src 'none'",
    `script-src ${digest(script)}`,
    `style-src ${digest(style)}`,
    "connect-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join('; ');
