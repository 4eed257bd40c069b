'use strict';

/** Address and token of the sidecar. Test asks what a look-up would cost: it spends nothing. */
class IsMaliciousSidecarApi {
  constructor() {
    this.name = 'isMaliciousSidecarApi';
    this.displayName = 'isMalicious Sidecar API';
    this.documentationUrl = 'https://ismalicious.com';
    this.properties = [
      {
        displayName: 'URL',
        name: 'url',
        type: 'string',
        default: 'http://127.0.0.1:8787',
        required: true,
        description: 'Address of the sidecar. A token is sent over https, or over plain http to this machine.',
      },
      {
        displayName: 'Token',
        name: 'token',
        type: 'string',
        typeOptions: { password: true },
        default: '',
        description: 'Token of the sidecar (sidecar.token), not a key of a provider; empty: it has none',
      },
    ];
    this.authenticate = {
      type: 'generic',
      properties: { headers: { Authorization: '={{$credentials.token ? "Bearer " + $credentials.token : undefined}}' } },
    };
    this.test = {
      request: { baseURL: '={{$credentials.url}}', url: '/v1/lookup', method: 'POST', body: { indicators: ['8.8.8.8'], plan: true } },
    };
  }
}

module.exports = { IsMaliciousSidecarApi };
