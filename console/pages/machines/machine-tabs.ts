import type {Tab} from '../../ui/Tabs.tsx';

/**
 * The tabs of a machine. To add one: a line here, its route in routes.tsx (`machineTab('name', …)`), and its page as
 * `pages/machines/tabs/<Name>Tab.tsx`, which reads the machine by `useMachine()`.
 */
export const machineTabs = (id: string): readonly Tab[] => [
  {label: 'Summary', link: {to: '/machines/$id', params: {id}}},
  {label: 'Boot', link: {to: '/machines/$id/boot', params: {id}}},
  {label: 'Hardware', link: {to: '/machines/$id/hardware', params: {id}}},
  {label: 'Metrics', link: {to: '/machines/$id/metrics', params: {id}}},
  {label: 'Configuration', link: {to: '/machines/$id/config', params: {id}}},
  {label: 'Images', link: {to: '/machines/$id/images', params: {id}}},
  {label: 'Issues', link: {to: '/machines/$id/issues', params: {id}}},
  {label: 'Events', link: {to: '/machines/$id/events', params: {id}}},
  {label: 'Audit', link: {to: '/machines/$id/audit', params: {id}}},
];
