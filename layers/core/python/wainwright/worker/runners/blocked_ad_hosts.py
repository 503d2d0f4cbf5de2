"""Hosts of advertisements and trackers that `config.blockAds` cuts off, each with everything below it.

Short on purpose: the networks that pages load most often, by the domains that other sites load for advertisements,
measurement or session recording. No maintained list comes as a Python package, and one that is downloaded while tests run
would make their outcome depend on the day. Domains that sites also load content or sign-in from (facebook.com, google.com,
linkedin.com) are left out, but for the names below them that are for tracking alone.
"""

from __future__ import annotations

_HOSTS = """
2mdn.net adservice.google.com app-measurement.com doubleclick.net google-analytics.com
googleadservices.com googlesyndication.com googletagmanager.com googletagservices.com

ads-twitter.com ads.linkedin.com ads.pinterest.com ads.tiktok.com amazon-adsystem.com
analytics.tiktok.com analytics.twitter.com analytics.yahoo.com bat.bing.com connect.facebook.net
ct.pinterest.com mc.yandex.ru pixel.facebook.com snap.licdn.com tr.snapchat.com

33across.com 3lift.com a-mo.net adcolony.com adform.net adgrx.com adnxs.com adroll.com adsrvr.org
adtechus.com advertising.com applovin.com bidswitch.net bluekai.com casalemedia.com contextweb.com
criteo.com criteo.net demdex.net everesttech.net exelator.com flashtalking.com gumgum.com id5-sync.com
indexww.com innovid.com lijit.com liveintent.com mathtag.com media.net mgid.com moatads.com mookie1.com
openx.net outbrain.com popads.net propellerads.com pubmatic.com revcontent.com rlcdn.com
rubiconproject.com serving-sys.com sharethrough.com simpli.fi smaato.net smartadserver.com sonobi.com
spotxchange.com taboola.com tapad.com teads.tv tremorhub.com tribalfusion.com turn.com yieldmo.com
zedo.com

adobedtm.com agkn.com amplitude.com branch.io chartbeat.com chartbeat.net clarity.ms clicktale.net
comscore.com crazyegg.com crwdcntrl.net fullstory.com heap-analytics.com heapanalytics.com hotjar.com
hotjar.io imrworldwide.com inspectlet.com krxd.net matomo.cloud mixpanel.com mouseflow.com mxpnl.com
nr-data.net omtrdc.net parsely.com quantcast.com quantserve.com quantummetric.com scorecardresearch.com
segment.com segment.io smartlook.com statcounter.com 2o7.net
"""
# Of Google; of other large platforms; of exchanges and networks; for measurement and session recording.
AD_HOSTS = tuple(_HOSTS.split())


def is_at_or_below(host: str, domain: str) -> bool:
    """Return True if a host is the domain or below it."""
    return host == domain or host.endswith(f".{domain}")
