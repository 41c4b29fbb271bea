import type {LinkProps} from '@tanstack/react-router';
import type {IconName} from './icons.tsx';

export type NavItem = {
  readonly label: string;
  readonly to: NonNullable<LinkProps['to']>;
  readonly icon: IconName;
  /** More words by which the command palette finds it. */
  readonly words?: string;
};
export type NavSection = {readonly label: string; readonly items: readonly NavItem[]};

/** The map of the side: what is looked at often comes first. */
export const navigation: readonly NavSection[] = [
  {
    label: 'Fleet',
    items: [
      {label: 'Overview', to: '/', icon: 'overview', words: 'home dashboard'},
      {label: 'Machines', to: '/machines', icon: 'machine', words: 'servers hosts nodes'},
      {label: 'Pending', to: '/pending', icon: 'pending', words: 'accept enrol discovery'},
      {label: 'Issues', to: '/issues', icon: 'issue', words: 'problems alerts health'},
      {label: 'Groups', to: '/groups', icon: 'group'},
      {label: 'Rules', to: '/rules', icon: 'rule', words: 'discovery policy'},
    ],
  },
  {
    label: 'Systems',
    items: [
      {label: 'Templates', to: '/templates', icon: 'template', words: 'nixos modules'},
      {label: 'Builds', to: '/builds', icon: 'build', words: 'log'},
      {label: 'Images', to: '/images', icon: 'image'},
      {label: 'Image tests', to: '/image-tests', icon: 'test', words: 'qemu serial'},
      {label: 'Boot', to: '/boot', icon: 'boot', words: 'pxe explain'},
    ],
  },
  {
    label: 'What happens',
    items: [
      {label: 'Operations', to: '/operations', icon: 'operation', words: 'bulk rollouts tasks'},
      {label: 'Events', to: '/events', icon: 'event', words: 'journal live'},
      {label: 'Audit', to: '/audit', icon: 'audit', words: 'who did what'},
    ],
  },
  {
    label: 'Site',
    items: [
      {label: 'Workspaces', to: '/workspaces', icon: 'workspace', words: 'tenants quota'},
      {label: 'People', to: '/people', icon: 'people', words: 'users tokens sessions'},
      {label: 'Webhooks', to: '/webhooks', icon: 'webhook', words: 'notifications'},
      {label: 'Settings', to: '/settings', icon: 'settings', words: 'services theme password'},
    ],
  },
];
