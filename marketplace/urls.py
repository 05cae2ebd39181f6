"""Every address of the marketplace; images live below one prefix, and originals have none."""

from django.conf import settings
from django.contrib import admin
from django.contrib.auth import views as auth
from django.urls import include, path
from django.views.i18n import set_language

from marketplace.views import desk, moderation, preferences, shop

urlpatterns = [
    path("", shop.home, name="home"),
    path("all/", shop.product_list, name="product-list"),
    path("c/<slug:slug>/", shop.category, name="category"),
    path("search/", shop.search, name="search"),
    path("shop/<slug:slug>/", shop.shop, name="shop"),
    path("p/<int:pk>-<slug:slug>/", shop.product_detail, name="product-detail"),
    path("sell/", desk.dashboard, name="sell"),
    path("sell/new/", desk.product_new, name="product-new"),
    path("sell/profile/", desk.profile, name="seller-profile"),
    path("sell/<int:pk>/", desk.product_edit, name="product-edit"),
    path("sell/<int:pk>/status/", desk.product_status, name="product-status"),
    path("moderation/", moderation.queue, name="moderation"),
    path("moderation/<int:pk>/", moderation.moderate, name="moderate"),
    path("login/", auth.LoginView.as_view(redirect_authenticated_user=True), name="login"),
    path("logout/", auth.LogoutView.as_view(), name="logout"),
    path("theme/", preferences.theme, name="theme"),
    path("i18n/setlang/", set_language, name="set_language"),
    path("api/", include("marketplace.api")),
    path("images/", include("lazyimages.urls")),
    path("admin/", admin.site.urls),
]
if settings.TRACE_LOG:
    urlpatterns.append(path("trace/", include("marketplace.trace.urls")))
