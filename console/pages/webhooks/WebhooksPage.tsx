import {useSearch} from '@tanstack/react-router';
import {WebhookList} from './WebhookList.tsx';
import {WebhookView} from './WebhookView.tsx';

export function WebhooksPage() {
  const {webhook} = useSearch({from: '/shell/webhooks'});
  return webhook === undefined ? <WebhookList /> : <WebhookView key={webhook} name={webhook} />;
}
