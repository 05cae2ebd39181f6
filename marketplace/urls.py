"""Every address of the marketplace; images live below one prefix, and originals have none."""

from django.contrib import admin
from django.contrib.auth import views as auth
from django.urls import include, path

from marketplace import views

urlpatterns = [
    path("", views.product_list, name="product-list"),
    path("p/<int:pk>-<slug:slug>/", views.product_detail, name="product-detail"),
    path("sell/", views.dashboard, name="sell"),
    path("sell/new/", views.product_new, name="product-new"),
    path("sell/profile/", views.profile, name="seller-profile"),
    path("sell/<int:pk>/", views.product_edit, name="product-edit"),
    path("sell/<int:pk>/status/", views.product_status, name="product-status"),
    path("login/", auth.LoginView.as_view(redirect_authenticated_user=True), name="login"),
    path("logout/", auth.LogoutView.as_view(), name="logout"),
    path("images/", include("lazyimages.urls")),
    path("admin/", admin.site.urls),
]
