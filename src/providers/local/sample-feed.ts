// Generated from samples/sample-feed.csv by scripts/generate/sample-feed.ts: edit that file.

/** The labelled sample feed: documentation addresses and made-up names only. */
export const SAMPLE_FEED = `value,type,verdict,score,confidence,categories,first_seen,last_seen,reference,note
198.51.100.7,ipv4-addr,malicious,87,90,c2,2026-09-30T04:12:00Z,2026-11-20T22:41:00Z,https://intel.example/sample/c2-7,sample: command and control server of a remote access trojan
198.51.100.23,ipv4-addr,malicious,94,95,c2|botnet,2026-08-02T11:05:00Z,2026-11-21T06:30:00Z,https://intel.example/sample/c2-23,sample: botnet controller seen by several sensors
198.51.100.66,ipv4-addr,malicious,82,80,bruteforce|ssh,2026-11-03T01:44:00Z,2026-11-21T09:02:00Z,,sample: password guessing against SSH
198.51.100.99,ipv4-addr,suspicious,64,70,scanner,2026-10-11T00:10:00Z,2026-11-21T07:55:00Z,,sample: scans many ports of many networks
198.51.100.140,ipv4-addr,suspicious,52,60,spam,2026-10-02T15:20:00Z,2026-11-14T13:01:00Z,,sample: sends unwanted mail from time to time
198.51.100.200,ipv4-addr,clean,3,92,,2026-01-14T09:00:00Z,2026-11-21T00:00:00Z,,sample: mail relay of a partner
203.0.113.9,ipv4-addr,malicious,91,88,phishing|malware-distribution,2026-10-28T17:33:00Z,2026-11-19T20:15:00Z,https://intel.example/sample/ph-9,sample: hosts fake sign-in pages
203.0.113.45,ipv4-addr,malicious,78,75,exploit,2026-11-08T03:21:00Z,2026-11-21T02:09:00Z,,sample: tries known holes of VPN gateways
203.0.113.77,ipv4-addr,malicious,69,60,malware-distribution,2026-09-12T12:12:00Z,2026-10-30T18:40:00Z,,sample: served a dropper until October
203.0.113.128,ipv4-addr,suspicious,47,45,proxy|anonymizer,2026-07-19T07:07:00Z,2026-11-17T05:26:00Z,,sample: open proxy
203.0.113.201,ipv4-addr,suspicious,41,40,scanner,2026-11-01T01:01:00Z,2026-11-12T23:59:00Z,,"sample: few reports, all of scans"
203.0.113.240,ipv4-addr,clean,8,85,,2026-02-01T00:00:00Z,2026-11-21T00:00:00Z,,sample: update server of a software maker
192.0.2.17,ipv4-addr,malicious,73,70,c2,2026-10-19T19:19:00Z,2026-11-16T10:00:00Z,https://intel.example/sample/c2-17,sample: callback address found in a sandbox run
192.0.2.53,ipv4-addr,clean,0,97,,2026-01-01T00:00:00Z,2026-11-21T00:00:00Z,,sample: public resolver
192.0.2.88,ipv4-addr,suspicious,58,55,bruteforce,2026-11-15T21:10:00Z,2026-11-20T04:48:00Z,,sample: guesses passwords of web mail
192.0.2.150,ipv4-addr,clean,12,60,,2026-03-09T00:00:00Z,2026-10-01T00:00:00Z,,"sample: content delivery, few sources know it"
2001:db8::bad:1,ipv6-addr,malicious,89,85,c2,2026-10-05T06:18:00Z,2026-11-20T16:27:00Z,https://intel.example/sample/c2-v6-1,sample: command and control over IPv6
2001:db8:5c4a::7,ipv6-addr,malicious,76,65,botnet,2026-11-02T13:37:00Z,2026-11-18T08:08:00Z,,sample: member of a botnet
2001:db8:feed::25,ipv6-addr,suspicious,55,50,spam,2026-09-09T09:09:00Z,2026-11-09T09:09:00Z,,sample: mail without reverse name
2001:db8:a11::53,ipv6-addr,clean,0,95,,2026-01-01T00:00:00Z,2026-11-21T00:00:00Z,,sample: public resolver
2001:db8:ace::443,ipv6-addr,clean,5,82,,2026-04-04T00:00:00Z,2026-11-20T00:00:00Z,,sample: content delivery
update-service.example,domain-name,malicious,92,90,c2|malware,2026-10-01T02:03:00Z,2026-11-21T05:05:00Z,https://intel.example/sample/dom-1,sample: callback name of a loader
login-portal.example,domain-name,malicious,88,85,phishing,2026-11-10T10:10:00Z,2026-11-21T08:12:00Z,https://intel.example/sample/dom-2,sample: copies a sign-in page
invoice-delivery.example,domain-name,malicious,81,80,phishing|malware-distribution,2026-11-05T14:00:00Z,2026-11-20T14:31:00Z,,sample: mails with macros point here
xn--bcher-rabatt-dlb.example,domain-name,malicious,72,65,phishing|typosquat,2026-11-11T11:11:00Z,2026-11-19T12:00:00Z,,sample: look-alike with a letter outside ASCII
k7q2vz9x1m.example,domain-name,malicious,84,78,dga,2026-11-17T00:00:00Z,2026-11-20T23:50:00Z,,sample: name made by an algorithm
p0hx3wq8tr.example,domain-name,malicious,83,78,dga,2026-11-18T00:00:00Z,2026-11-21T01:50:00Z,,sample: name made by an algorithm
dl.freeware-mirror.example,domain-name,suspicious,61,60,pup,2026-08-20T20:00:00Z,2026-11-13T07:20:00Z,,sample: bundles unwanted programs
track.ad-network.example,domain-name,suspicious,43,45,adware,2026-05-05T05:05:00Z,2026-11-15T15:15:00Z,,sample: aggressive advertising
short.test,domain-name,suspicious,49,40,redirector,2026-06-06T06:06:00Z,2026-11-11T06:06:00Z,,sample: link shortener that is often abused
newly-seen.test,domain-name,suspicious,56,50,newly-registered,2026-11-19T03:00:00Z,2026-11-21T03:00:00Z,,sample: registered two days ago
cdn.assets.example,domain-name,clean,2,93,,2026-01-02T00:00:00Z,2026-11-21T00:00:00Z,,sample: content delivery
mail.partner.example,domain-name,clean,0,96,,2026-01-02T00:00:00Z,2026-11-21T00:00:00Z,,sample: mail server of a partner
www.news.example,domain-name,clean,4,88,,2026-02-02T00:00:00Z,2026-11-21T00:00:00Z,,sample: newspaper
docs.vendor.test,domain-name,clean,6,81,,2026-03-03T00:00:00Z,2026-11-20T00:00:00Z,,sample: documentation of a vendor
https://login-portal.example/reset,url,malicious,95,92,phishing,2026-11-10T10:10:00Z,2026-11-21T08:12:00Z,https://intel.example/sample/url-1,sample: asks for the password of the mail account
http://invoice-delivery.example/2026/11/invoice_4711.docm,url,malicious,90,85,malware-distribution,2026-11-05T14:00:00Z,2026-11-20T14:31:00Z,,sample: document with a macro
http://203.0.113.9/wp-content/signin.php,url,malicious,86,80,phishing,2026-10-28T17:33:00Z,2026-11-19T20:15:00Z,,sample: sign-in page on a bare address
https://update-service.example/api/v2/task?id=7,url,malicious,93,90,c2,2026-10-01T02:03:00Z,2026-11-21T05:05:00Z,,sample: where the loader fetches its tasks
https://dl.freeware-mirror.example/setup.exe,url,suspicious,66,60,pup,2026-08-20T20:00:00Z,2026-11-13T07:20:00Z,,sample: installer with extras
https://short.test/a8Kd2,url,suspicious,62,55,redirector|phishing,2026-11-18T09:40:00Z,2026-11-20T10:02:00Z,,sample: led to a sign-in page once
https://cdn.assets.example/js/app.min.js,url,clean,1,90,,2026-01-02T00:00:00Z,2026-11-21T00:00:00Z,,sample: script of a web shop
https://www.news.example/,url,clean,3,85,,2026-02-02T00:00:00Z,2026-11-21T00:00:00Z,,sample: front page
f5204c3338d87cdcca3ed555991dbfa8,file:md5,malicious,96,95,malware|loader,2026-10-01T02:03:00Z,2026-11-21T05:05:00Z,https://intel.example/sample/loader-a,sample: loader A
f47678b68abc9e54844121a2cf1c549b5c641141,file:sha1,malicious,96,95,malware|loader,2026-10-01T02:03:00Z,2026-11-21T05:05:00Z,https://intel.example/sample/loader-a,sample: loader A
4a7fd5fdcd6c097203d03a4ecb87cbe70914b9744329f8e6ca2d340155f2214b,file:sha256,malicious,96,95,malware|loader,2026-10-01T02:03:00Z,2026-11-21T05:05:00Z,https://intel.example/sample/loader-a,sample: loader A
8d3228a4f9f7f755c11b1a038a5f2f5ca0154dbd9a2e25f480e1dc7fed621230aac16f699c77b1957483c42fbbaf75628d909d11f692f9b510660030b2ab8494,file:sha512,malicious,96,95,malware|loader,2026-10-01T02:03:00Z,2026-11-21T05:05:00Z,https://intel.example/sample/loader-a,sample: loader A
86635c10a4eaf314ee903c7b6283ac3e5cda82d41e9e73e45cec0b3c54180399,file:sha256,malicious,98,97,malware|stealer,2026-11-01T00:00:00Z,2026-11-21T00:30:00Z,https://intel.example/sample/stealer-b,sample: password stealer B
6e1d7e224fc3fd1fedad73f724e580654e58cf345d8f3ee17ff19e1b93433316,file:sha256,malicious,85,80,malware|dropper,2026-11-05T14:00:00Z,2026-11-20T14:31:00Z,,sample: document behind invoice_4711.docm
52d66f8805c35b5c579edc776df0b7018b2a2a92,file:sha1,malicious,74,70,coinminer,2026-09-03T03:03:00Z,2026-11-10T04:04:00Z,,sample: coin miner D
1119464befd3a8adf0e5264e6ea7a8acf5d4169fd73b6911ab6bee1d67a2a8e1,file:sha256,suspicious,60,58,dual-use,2026-04-01T00:00:00Z,2026-11-18T00:00:00Z,,"sample: remote help, also used by intruders"
2325445055491e8849c2dde134f81fc7,file:md5,suspicious,51,50,pup,2026-08-20T20:00:00Z,2026-11-13T07:20:00Z,,sample: installer with extras
fa9f6fc1b2bc2cea8f1f51e94975360d599f6759b4bfd72afe555db15874692d,file:sha256,clean,0,98,,2026-06-01T00:00:00Z,2026-11-21T00:00:00Z,,sample: signed update of an office suite
a085562bf21209683cc06755a325ad95,file:md5,clean,0,95,,2026-07-01T00:00:00Z,2026-11-21T00:00:00Z,,sample: signed browser
b8389b3945653c149936df01530c04b23d6fb9b59adc53ec716a06a64dd27034b9f4fc44021ad6b41afe325be4d37e726c7324913d11a9fd3922f9a52882151a,file:sha512,clean,2,86,,2026-07-07T00:00:00Z,2026-11-19T00:00:00Z,,sample: backup agent
billing@invoice-delivery.example,email-addr,malicious,89,85,phishing,2026-11-05T14:00:00Z,2026-11-20T14:31:00Z,,sample: sender of the macro documents
it-support@login-portal.example,email-addr,malicious,91,88,phishing|impersonation,2026-11-10T10:10:00Z,2026-11-21T08:12:00Z,,sample: pretends to be the help desk
ceo.office@newly-seen.test,email-addr,suspicious,68,60,bec,2026-11-19T09:00:00Z,2026-11-21T09:00:00Z,,"sample: asks for a payment, domain two days old"
offers@track.ad-network.example,email-addr,suspicious,44,50,spam,2026-05-05T05:05:00Z,2026-11-15T15:15:00Z,,sample: unwanted newsletter
orders@mail.partner.example,email-addr,clean,0,94,,2026-01-02T00:00:00Z,2026-11-21T00:00:00Z,,sample: order desk of a partner
newsletter@www.news.example,email-addr,clean,5,83,,2026-02-02T00:00:00Z,2026-11-21T00:00:00Z,,sample: newspaper
`;
